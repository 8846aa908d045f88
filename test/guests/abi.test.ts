// Every guest that is shipped keeps the contract of guests/counter/README.md.
import { describe, expect, test } from 'vitest'
import { GUEST_IMPORTS } from '../../keepers/wasm/abi/wasm-module.ts'
import { exportsOf, Guest, guestBytes, importsOf } from './host.ts'
import { hiddenMutableGlobals } from './wasm-globals.ts'

const ALLOWED_IMPORTS: readonly string[] = GUEST_IMPORTS

describe.each(['kv', 'counter', 'stress', 'clock'])('the guest %s', (name) => {
  test('exports what the host calls', () => {
    const names = exportsOf(name).map((each) => `${each.kind} ${each.name}`)
    expect(names).toEqual(
      expect.arrayContaining([
        'global colo_abi',
        'function colo_buffer',
        'function colo_open',
        'function colo_input',
        'function colo_close',
      ]),
    )
    expect(new Guest(name).exports.colo_abi.value).toBe(1)
  })

  test('imports nothing but what the host gives', () => {
    const names = importsOf(name).map((each) => `${each.module}.${each.name}`)
    expect(names.filter((each) => !ALLOWED_IMPORTS.includes(each))).toEqual([])
  })

  test('has no mutable global that a checkpoint would miss', () => {
    expect(hiddenMutableGlobals(guestBytes(name))).toEqual([])
  })
})

describe('the reading of globals', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  // (global (mut i32) (i32.const 5)) (global i32 (i32.const 300)) (global (mut i64) (i64.const 0))
  const globals = [
    6, 17, 3, 0x7f, 1, 0x41, 5, 0x0b, 0x7f, 0, 0x41, 0xac, 2, 0x0b, 0x7e, 1, 0x42, 0, 0x0b,
  ]

  test('finds mutable ones that are not exported', () => {
    expect(hiddenMutableGlobals(new Uint8Array([...header, ...globals]))).toEqual([0, 2])
  })

  test('leaves out exported ones', () => {
    const exported = [7, 5, 1, 1, 0x61, 3, 2]
    expect(hiddenMutableGlobals(new Uint8Array([...header, ...globals, ...exported]))).toEqual([0])
  })
})
