// Which modules may be protected: every state that a checkpoint would not hold is a reason not to, told by name.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inspectModule } from '../../keepers/wasm/abi/wasm-module.ts'
import { I32, I64, V128 } from '../../formats/wasm/operations.ts'
import { WebAssembly } from '../dirty-log/engine.ts'
import { ROOT } from '../machines/reviewed.ts'
import { type GuestParts, madeGuest } from './made-guest.ts'

const WASM_HEADER_BYTES = 8
const MEMORY_SECTION = 5
const MUTABLE = 1
const CONSTANT = 0
const given = 16 * 1024 * 1024
const shipped = readFileSync(join(ROOT, 'dist', 'guests', 'kv.wasm'))

const reasonsOf = (bytes: Uint8Array, memoryBytes = given) => {
  const facts = inspectModule(bytes, memoryBytes)
  return 'reasons' in facts ? facts.reasons : []
}

function factsOf(parts: GuestParts) {
  const bytes = madeGuest(parts)
  expect(WebAssembly.validate(bytes)).toBe(true)
  const facts = inspectModule(bytes, given)
  if ('reasons' in facts) throw new Error(facts.reasons.join('; '))
  return facts
}

function refusalOf(parts: GuestParts): string {
  const bytes = madeGuest(parts)
  expect(WebAssembly.validate(bytes)).toBe(true)
  return reasonsOf(bytes).join('\n')
}

/** The shipped guest with one more section, ahead of its own. */
function withSection(id: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...shipped.subarray(0, WASM_HEADER_BYTES),
    ...[id, body.length, ...body],
    ...shipped.subarray(WASM_HEADER_BYTES),
  ])
}

test('the shipped guest may', () => {
  expect(reasonsOf(shipped)).toEqual([])
})

test('one with a second memory may not', () => {
  const plain = 0
  const second = withSection(MEMORY_SECTION, [1, plain, 1])
  expect(reasonsOf(second)).toContain('it has 2 memories: a checkpoint holds one')
  const three = withSection(MEMORY_SECTION, [2, plain, 1, plain, 1])
  expect(reasonsOf(three)).toContain('it has 3 memories: a checkpoint holds one')
})

describe('colo_abi', () => {
  // As clang -O0 and rustc without -O write `return 1`: through a local, with a return.
  const debugBuild = [1, 1, I32, 0x41, 1, 0x21, 0, 0x20, 0, 0x0f]

  test.each<[string, GuestParts, 'function' | 'global']>([
    ['a function', {}, 'function'],
    ['a function of a debug build', { abi: debugBuild }, 'function'],
    ['a constant global', { abiGlobal: [I32, CONSTANT, 0x41, 1] }, 'global'],
  ])('may be %s', (_, parts, kind) => {
    expect(factsOf(parts).abi).toEqual({ kind, version: 1 })
  })

  test.each<[string, GuestParts]>([
    ['a function that computes', { abi: [0, 0x41, 1, 0x41, 0, 0x6a] }],
    ['a mutable global', { abiGlobal: [I32, MUTABLE, 0x41, 1] }],
  ])('of %s is told at the start', (_, parts) => {
    expect(factsOf(parts).abi.version).toBeUndefined()
  })

  test('that is the address of a variable is refused, with the way out', () => {
    const refusal = refusalOf({ abiGlobal: [I32, CONSTANT, 0x41, 0x80, 8] })
    expect(refusal).toContain('its global colo_abi is 1024, which is an address')
    expect(refusal).toContain('export a function colo_abi that returns 1 instead')
  })

  test.each<[string, GuestParts, string]>([
    ['another version, by a function', { abi: [0, 0x41, 2] }, 'its colo_abi is 2, and this host'],
    [
      'another version',
      { abiGlobal: [I32, CONSTANT, 0x41, 2] },
      'its colo_abi is 2, and this host',
    ],
    ['a negative one', { abi: [0, 0x41, 0x7f] }, 'its colo_abi is -1, and this host'],
    ['an i64', { abiGlobal: [I64, CONSTANT, 0x42, 1] }, 'it does not export colo_abi, a function'],
  ])('of %s is refused', (_, parts, words) => {
    expect(refusalOf(parts)).toContain(words)
  })
})

describe('a mutable global', () => {
  const number = [I32, MUTABLE, 0x41, 0]

  test('that is hidden has a name of its own, which no export of the module has', () => {
    const globals = [number, [I64, CONSTANT, 0x42, 0], number]
    expect(factsOf({ globals }).globals).toEqual(['colo_global_0', 'colo_global_2'])
    const exported = { 0: 'colo_global_2' }
    expect(factsOf({ globals, exported }).globals).toEqual(['colo_global_2', 'colo_global__2'])
  })

  test('that is exported keeps its name, whatever letters that has', () => {
    expect(factsOf({ globals: [number], exported: { 0: 'zähler' } }).globals).toEqual(['zähler'])
  })

  test.each([
    ['v128', [V128, MUTABLE, 0xfd, 12, ...Array<number>(16).fill(0)], 'v128'],
    ['funcref', [0x70, MUTABLE, 0xd0, 0x70], 'a reference'],
    ['externref', [0x6f, MUTABLE, 0xd0, 0x6f], 'a reference'],
  ])('of %s is refused, exported or hidden', (_, global, what) => {
    const why = (which: string) =>
      `its mutable global ${which} holds ${what}, which no host can read`
    expect(refusalOf({ globals: [number, global] })).toBe(why('number 1'))
    expect(refusalOf({ globals: [global], exported: { 0: 'g' } })).toBe(why('g'))
  })
})

describe('memory of its own', () => {
  test.each([
    ['no maximum', [0, 1]],
    ['a maximum beyond --memory', [1, 1, 0x80, 0x80, 4]],
    ['a maximum below --memory', [1, 1, 2]],
  ])('may have %s', (_, limits) => {
    expect(factsOf({ limits })).toMatchObject({ importsMemory: false, memoryBytes: 65536 })
  })

  test('may not begin with more than --memory', () => {
    const reasons = reasonsOf(madeGuest({ limits: [0, 17] }), 2 ** 20)
    const words = 'it needs 1088KiB of memory at its start, and --memory gives 1024KiB'
    expect(reasons).toEqual([`${words}: give at least 1088KiB`])
  })
})
