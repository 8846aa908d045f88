// A rewritten module that was kept is used again if it is whole, and only then: whatever became of the file, the
// guest runs as if it had just been rewritten.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadGuestModule } from '../../keepers/wasm/guest-module.ts'
import { ROOT } from '../machines/reviewed.ts'

let cache = ''
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'colo-modules-'))
})
afterEach(() => rmSync(cache, { recursive: true }))

function load() {
  const file = join(ROOT, 'dist', 'guests', 'counter.wasm')
  const { digest, tableBytes, scheme } = loadGuestModule({
    ...{ file, memoryBytes: 16 * 1024 * 1024, dirty: 'log', cache },
  })
  return { digest, tableBytes, scheme }
}

function keptFile(): string {
  const [name, ...others] = readdirSync(cache)
  expect(others).toEqual([])
  return join(cache, name)
}

test('a kept module is what rewriting gives', () => {
  const first = load()
  const kept = readFileSync(keptFile())
  expect(load()).toEqual(first)
  expect(readFileSync(keptFile())).toEqual(kept)
})

test('a damaged one is rewritten, whichever byte it is', () => {
  const whole = load()
  const kept = readFileSync(keptFile())
  const line = kept.indexOf('\n')
  const places = [...Array(line + 3).keys(), kept.length - 1]
  for (const at of places) {
    const damaged = Buffer.from(kept)
    damaged[at] ^= 1
    writeFileSync(keptFile(), damaged)
    expect(load(), `byte ${at}`).toEqual(whole)
    expect(readFileSync(keptFile())).toEqual(kept)
  }
})

test('one that was cut short, or is empty, is rewritten', () => {
  const whole = load()
  const kept = readFileSync(keptFile())
  for (const length of [0, 10, kept.indexOf('\n') + 1, kept.length - 1]) {
    writeFileSync(keptFile(), kept.subarray(0, length))
    expect(load(), `${length} bytes`).toEqual(whole)
  }
})

test('a folder that can not be written costs nothing but the next rewriting', () => {
  const whole = load()
  const blocked = keptFile()
  cache = join(blocked, 'below-a-file')
  expect(load()).toEqual(whole)
  cache = join(blocked, '..')
})
