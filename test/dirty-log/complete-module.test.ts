// What a module lacks is added, with the log and without: the same names, the same maximum, and a valid module.

import { describe, expect, test } from 'vitest'
import { completeModule } from '../../keepers/wasm/dirty-log/complete-module.ts'
import { F32, F64, I32, I64 } from '../../formats/wasm/operations.ts'
import { addDirtyLog, isRewritten } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { inspectModule } from '../../keepers/wasm/abi/wasm-module.ts'
import { guestBytes } from '../guests/host.ts'
import { madeGuest } from '../guests/made-guest.ts'
import { WebAssembly, type WasmInstance, type WasmMemory } from './engine.ts'

const MEMORY_BYTES = 4 * 65536
const hidden = [
  [I32, 1, 0x41, 7],
  [I64, 1, 0x42, 8],
  [F32, 1, 0x43, 0, 0, 0x80, 0x3f],
  [F64, 1, 0x44, 0, 0, 0, 0, 0, 0, 0, 0x40],
]
const bytes = madeGuest({ globals: hidden, limits: [0, 1] })

const start = (module: Uint8Array): WasmInstance =>
  new WebAssembly.Instance(new WebAssembly.Module(module), {})

function logged(): Uint8Array {
  const log = addDirtyLog(bytes, MEMORY_BYTES)
  if (!isRewritten(log)) throw new Error(log.refused)
  return log.bytes
}

describe.each([
  ['a scan', () => completeModule(bytes, MEMORY_BYTES), 0],
  ['the log', logged, 1],
])('for %s', (_, rewrite, tablePages) => {
  const instance = start(rewrite())

  test('hidden mutable globals are exported, by the names that the host is told', () => {
    const facts = inspectModule(bytes, MEMORY_BYTES)
    const names = 'globals' in facts ? facts.globals : []
    const values = names.map((name) => (instance.exports[name] as { value: unknown }).value)
    expect(values).toEqual([7, 8n, 1, 2])
  })

  test('memory has the maximum that it is given', () => {
    const memory = instance.exports['memory'] as WasmMemory
    expect(memory.grow(3)).toBe(1 + tablePages)
    expect(() => memory.grow(1)).toThrow(/aximum/)
  })
})

test('the same module gives the same bytes', () => {
  expect(completeModule(bytes, MEMORY_BYTES)).toEqual(completeModule(bytes.slice(), MEMORY_BYTES))
})

test('a maximum that is lower than what is given stays', () => {
  const module = completeModule(madeGuest({ globals: hidden, limits: [1, 1, 2] }), MEMORY_BYTES)
  const memory = start(module).exports['memory'] as WasmMemory
  expect(memory.grow(1)).toBe(1)
  expect(() => memory.grow(1)).toThrow(/aximum/)
})

test('a module that lacks nothing is not touched', () => {
  const shipped = guestBytes('kv')
  expect(completeModule(shipped, MEMORY_BYTES)).toBe(shipped)
})

test('custom sections and a count that is written in more bytes than it takes are no obstacle', () => {
  const wide = Buffer.from(madeGuest({ globals: hidden }))
  const at = exportSectionAt(wide)
  // The count in two bytes, the length of the section one more.
  const module = Buffer.concat([
    ...[Buffer.from(wide.subarray(0, 8)), Buffer.from([0, 3, 2, 0x61, 0x62])],
    ...[wide.subarray(8, at + 1), Buffer.from([wide[at + 1] + 1, wide[at + 2] | 0x80, 0])],
    ...[wide.subarray(at + 3), Buffer.from([0, 2, 1, 0x63])],
  ])
  expect(WebAssembly.validate(module)).toBe(true)
  const complete = completeModule(module, MEMORY_BYTES)
  expect(Object.keys(start(complete).exports)).toContain('colo_global_3')
})

function exportSectionAt(module: Buffer): number {
  let at = 8
  // Sections of this module are shorter than 128 bytes.
  while (module[at] !== 7) at += 2 + module[at + 1]
  return at
}
