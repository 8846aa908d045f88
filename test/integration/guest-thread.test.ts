// The thread of an embedded guest, without a pair: what becomes of it when it is stopped in the middle of things.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { WasmGuest } from '../../keepers/wasm/wasm-guest.ts'
import { type GuestParts, madeGuest } from '../guests/made-guest.ts'
import { guestFile, until } from './pair.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** As it is compiled: it starts the thread's file, which is beside it. */
const COMPILED = pathToFileURL(join(ROOT, 'dist', 'keepers', 'wasm', 'wasm-guest.js')).href
const MEMORY = 256 * 1024 * 1024
const FILLED_PAGES = 50_000
const EARLY_BYTES = 1024 * 1024
const MARK = 9

let guest: WasmGuest | undefined
const folders: string[] = []
afterEach(() => guest?.dispose())
afterAll(() => folders.forEach((one) => rmSync(one, { recursive: true })))

/** How a guest made for a test ends when it is started. */
async function deathOf(parts: GuestParts): Promise<string> {
  const compiled = (await import(COMPILED)) as { WasmGuest: typeof WasmGuest }
  const folder = mkdtempSync(join(tmpdir(), 'colo-guest-'))
  folders.push(folder)
  const file = join(folder, 'guest.wasm')
  writeFileSync(file, madeGuest(parts))
  guest?.dispose()
  guest = new compiled.WasmGuest({ file, memoryBytes: 2 ** 20, dirty: 'auto' }, 300)
  let death = ''
  guest.attach({
    running: () => (death = 'none: it runs'),
    output() {},
    closing() {},
    cut() {},
    dirtied() {},
    capturing() {},
    captured() {},
    took() {},
    died: (why) => (death = why),
  })
  guest.start()
  return until('the guest to die', () => death !== '' && death)
}

it('a guest whose version is known only at the start is refused then', async () => {
  // 1 + 1, which is not looked at before.
  const why = await deathOf({ abi: [0, 0x41, 1, 0x41, 1, 0x6a] })
  expect(why).toBe('its colo_abi is 2, and this host speaks version 1 of the contract')
  expect(await deathOf({ abi: [0, 0x41, 1, 0x41, 0, 0x6a] })).toBe('none: it runs')
})

it.each<[string, GuestParts]>([
  ['start function', { start: [0, 0x03, 0x40, 0x0c, 0, 0x0b] }],
  ['colo_abi', { abi: [0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 1] }],
])('a guest whose %s never ends is ended as one that spins', async (_, parts) => {
  expect(await deathOf(parts)).toBe('spin: one call took longer than 300 ms')
})

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
