// The thread of an embedded guest, without a pair: what becomes of it when it is stopped in the middle of things.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import type { WasmGuest } from '../../shared/guest/wasm/wasm-guest.ts'
import { guestFile, until } from './pair.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** As it is compiled: it starts the thread's file, which is beside it. */
const COMPILED = pathToFileURL(join(ROOT, 'dist', 'shared', 'guest', 'wasm', 'wasm-guest.js')).href
const MEMORY = 256 * 1024 * 1024
const FILLED_PAGES = 50_000
const EARLY_BYTES = 1024 * 1024
const MARK = 9

let guest: WasmGuest | undefined
afterEach(() => guest?.dispose())

it('a guest that is stopped while it is captured writes no more into the store', async () => {
  const compiled = (await import(COMPILED)) as { WasmGuest: typeof WasmGuest }
  const options = { file: guestFile('stress'), memoryBytes: MEMORY, dirty: 'auto' } as const
  guest = new compiled.WasmGuest(options, 10_000)
  const { store } = guest
  let [running, said, captured] = [0, '', 0]
  guest.attach({
    running: () => running++,
    output: (_, bytes) => (said += Buffer.from(bytes).toString()),
    closing() {},
    cut() {},
    dirtied() {},
    capturing() {},
    captured: () => captured++,
    took() {},
    died: (why) => (said = why),
  })
  guest.start()
  guest.open(1)
  guest.input(1, new Uint8Array(Buffer.from(`fill ${FILLED_PAGES}\n`)))
  await until('the guest to have filled its memory', () => said === 'ok\n')
  store.pages.fill(0)
  guest.capture(1, 'all')
  // Looked at without a pause: when an early page is there, the copying of the others is still under way.
  const early = new Int32Array(store.pages.buffer, EARLY_BYTES, 1)
  const patience = performance.now() + 20_000
  while (Atomics.load(early, 0) === 0 && performance.now() < patience) continue
  expect(Atomics.load(early, 0)).not.toBe(0)
  guest.stop()
  // The last that it would copy.
  const late = store.pages.subarray(FILLED_PAGES * 4096 - EARLY_BYTES, FILLED_PAGES * 4096)
  late.fill(MARK)
  guest.start()
  await until('the next guest', () => running === 2)
  expect(captured).toBe(0)
  expect(late.findIndex((byte) => byte !== MARK)).toBe(-1)
})
