// The state of the WebAssembly guest in VMState: what it is on the wire, that damage is told and nothing else, and
// that a later layout takes what an earlier one saved.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadState, saveState } from '../../formats/qemu/vmstate/state-blob.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import {
  decodeCpu,
  decodeDevice,
  encodeCpu,
  encodeDevice,
  wasmDeviceVmsd,
  type WasmDeviceMembers,
} from '../../keepers/wasm/abi/wasm-state.ts'

const cpu = { memoryBytes: 0x20000, globals: [1n, 0xfffffffffffffffen] }
const device = { inputs: 5, outputs: 6, connections: [1, 0xffffffff], clockMs: 0 }
const clockMs = 1_700_000_000_000
/** Of `device`, all but the clock. */
const DEVICE_HEX = [
  '00000001',
  '0000000000000005',
  '0000000000000006',
  '00000002',
  '00000001ffffffff',
].join('')
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
/** The clock as a subsection: its mark, its name, its version. */
const clockHex = (ms: number) =>
  `050f${Buffer.from('wasm-host/clock').toString('hex')}00000001${ms.toString(16).padStart(16, '0')}`

describe('the guest’s state', () => {
  test('is a version and a body, as QEMU has them', () => {
    expect(Buffer.from(encodeCpu(cpu)).toString('hex')).toBe(
      ['00000001', '0000000000020000', '00000002', '0000000000000001', 'fffffffffffffffe'].join(''),
    )
    expect(Buffer.from(encodeDevice(device)).toString('hex')).toBe(DEVICE_HEX)
  })

  test('goes round', () => {
    const counter = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    const globals = fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { maxLength: 700 })
    const connections = fc.array(fc.integer({ min: 0, max: 0xffffffff }))
    fc.assert(
      fc.property(fc.record({ memoryBytes: counter, globals }), (one) => {
        expect(decodeCpu(encodeCpu(one))).toEqual(one)
      }),
    )
    fc.assert(
      fc.property(
        fc.record({
          inputs: counter,
          outputs: counter,
          connections,
          clockMs: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
        }),
        (one) => {
          expect(decodeDevice(encodeDevice(one))).toEqual(one)
        },
      ),
    )
  })

  test('a global of negative bits is the same 64 bits', () => {
    expect(decodeCpu(encodeCpu({ memoryBytes: 1, globals: [-2n] }))).toEqual({
      memoryBytes: 1,
      globals: [0xfffffffffffffffen],
    })
  })

  test.each([
    ['no bytes', Uint8Array.of(), 'CPU state: truncated at byte 0 (wasm-cpu)'],
    ['a cut', encodeCpu(cpu).subarray(0, -1), 'CPU state: truncated'],
    ['a byte too many', Uint8Array.of(...encodeCpu(cpu), 0), '1 bytes follow the state'],
    ['a newer version', Uint8Array.of(0, 0, 0, 2, 0), 'version_id 2 is too new'],
    ['an older version', Uint8Array.of(0, 0, 0, 0, 0), 'version_id 0 is too old'],
  ])('%s is told', (_what, bytes, rule) => {
    expect(decodeCpu(bytes)).toContain(rule)
  })

  test('has a clock behind the rest, if the guest asked for the time', () => {
    const told = Buffer.from(encodeDevice({ ...device, clockMs })).toString('hex')
    expect(told).toBe(DEVICE_HEX + clockHex(clockMs))
  })

  test('from before there was a clock is one of a guest that never asked', () => {
    expect(decodeDevice(fromHex(DEVICE_HEX))).toEqual(device)
  })

  test.each([
    ['of nothing', clockHex(0), 'a clock of 0 ms is not between 1 and 8640000000000000'],
    ['beyond all dates', clockHex(8_640_000_000_000_001), 'a clock of 8640000000000001 ms is not'],
    ['that comes twice', clockHex(1) + clockHex(2), 'the clock is there twice'],
    ['that is cut', clockHex(1).slice(0, -2), 'device state: truncated'],
    ['of a newer version', clockHex(1).replace('00000001', '00000002'), 'version_id 2 is too new'],
  ])('a clock %s is told', (_what, clock, rule) => {
    expect(decodeDevice(fromHex(DEVICE_HEX + clock))).toContain(rule)
  })

  test('a device of CPU bytes is told, not believed', () => {
    expect(decodeDevice(encodeCpu(cpu))).toContain('device state: ')
  })

  test('damage gives a text or a state, at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(['string', 'object']).toContain(typeof decodeCpu(bytes))
        expect(['string', 'object']).toContain(typeof decodeDevice(bytes))
      }),
    )
  })
})

interface LaterMembers extends WasmDeviceMembers {
  traps: number
  draining: boolean
}

/** What this description may become: a field more, and a subsection. */
const later: VMStateDescription<LaterMembers> = {
  ...wasmDeviceVmsd,
  version_id: 2,
  fields: [...wasmDeviceVmsd.fields, { name: 'traps', type: 'uint32', version_id: 2 }],
  subsections: [
    ...(wasmDeviceVmsd.subsections ?? []),
    {
      name: 'wasm-host/draining',
      version_id: 1,
      needed: ({ draining }) => draining,
      fields: [{ name: 'draining', type: 'bool' }],
    },
  ],
}

const fresh = (): LaterMembers => ({
  inputs: 0n,
  outputs: 0n,
  num_connections: 0,
  connections: [],
  clock_ms: 0n,
  traps: 9,
  draining: false,
})

const fromDevice = { inputs: 5n, outputs: 6n, num_connections: 2, connections: [1, 0xffffffff] }

describe('a later layout', () => {
  test('takes what version 1 saved, and leaves alone what that had not', () => {
    const members = fresh()
    loadState(later, encodeDevice(device), members)
    expect(members).toEqual({ ...fresh(), ...fromDevice })
  })

  test('takes its own, subsection and all', () => {
    const state = { ...fresh(), ...fromDevice, traps: 3, draining: true }
    const members = fresh()
    loadState(later, saveState(later, state), members)
    expect(members).toEqual(state)
  })

  test('is refused by version 1', () => {
    expect(decodeDevice(saveState(later, fresh()))).toBe(
      'device state: bad-version at byte 4 (wasm-host): ' +
        'wasm-host: incoming version_id 2 is too new for local version_id 1',
    )
  })

  test('refuses version 1 once it can no longer be read', () => {
    const strict = { ...later, minimum_version_id: 2 }
    expect(() => loadState(strict, encodeDevice(device), fresh())).toThrow(
      'wasm-host: incoming version_id 1 is too old for local minimum version_id 2',
    )
  })
})
