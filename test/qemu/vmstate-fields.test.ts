// Each kind of field, byte by byte as section 2.3 of the format's description has it, and what arrays, pointers
// and lists make of them.

import { describe, expect, test } from 'vitest'
import {
  BinaryInputVisitor,
  BinaryOutputVisitor,
} from '../../formats/qemu/vmstate/binary-visitor.ts'
import {
  ObjectInputVisitor,
  ObjectOutputVisitor,
} from '../../formats/qemu/vmstate/object-visitor.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { vmstateTypes } from '../../formats/qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesOut, fileOf } from './bytes.ts'

const describing = (...fields: VMStateField[]): VMStateDescription => ({
  name: 'd',
  version_id: 1,
  fields,
})

function load(vmsd: VMStateDescription, bytes: readonly number[], device: object = {}): object {
  const file = fileOf(Uint8Array.from(bytes))
  transfer(vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor(device))
  expect(file.atEnd).toBe(true)
  return device
}

function save(vmsd: VMStateDescription, device: object): number[] {
  const bytes = bytesOut((file) => {
    transfer(vmsd, new ObjectInputVisitor(device), new BinaryOutputVisitor(file))
  })
  return [...bytes]
}

const point = describing({ name: 'x', type: 'uint8' }, { name: 'y', type: 'uint8' })
const ff = (count: number) => Array.from({ length: count }, () => 255)

/** A type, with a field of it, its value and its bytes. */
const rows: readonly [string, Partial<VMStateField>, unknown, number[]][] = [
  ['bool', {}, true, [1]],
  ['int8', {}, -2, [254]],
  ['int16', {}, -2, [255, 254]],
  ['int32', {}, -2, [255, 255, 255, 254]],
  ['int64', {}, -2n, [...ff(7), 254]],
  ['uint8', {}, 254, [254]],
  ['uint16', {}, 0xfffe, [255, 254]],
  ['uint32', {}, 0xfffffffe, [255, 255, 255, 254]],
  ['uint64', {}, 0xfffffffffffffffen, [...ff(7), 254]],
  ['uint8 equal', {}, 1, [1]],
  ['uint16 equal', {}, 1, [0, 1]],
  ['int32 equal', {}, -1, ff(4)],
  ['uint32 equal', {}, 1, [0, 0, 0, 1]],
  ['int64 equal', {}, 0xffffffffffffffffn, ff(8)],
  ['int32 le', {}, 3, [0, 0, 0, 3]],
  ['int32_as_uint16', {}, 0x8001, [0x80, 1]],
  ['uint16_from_uint8', {}, 0x81, [0x81]],
  ['timer', {}, -1n, ff(8)],
  ['float64', {}, 0x3ff0000000000001n, [0x3f, 0xf0, 0, 0, 0, 0, 0, 1]],
  ['CPU_Double_U', {}, 0x3ff0000000000001n, [0x3f, 0xf0, 0, 0, 0, 0, 0, 1]],
  ['buffer', { size: 3 }, Uint8Array.of(1, 2, 3), [1, 2, 3]],
  ['unused_buffer', { size: 3 }, Uint8Array.of(0, 0, 0), [0, 0, 0]],
  ['bitmap', { bits: 65 }, Uint8Array.from(ff(16)), ff(16)],
  ['capability', {}, 'x-ok', [4, 0x78, 0x2d, 0x6f, 0x6b]],
  ['nullptr', {}, null, [0x30]],
  ['struct', { vmsd: point }, { x: 1, y: 2 }, [1, 2]],
  ['vstruct', { vmsd: point, struct_version_id: 1 }, { x: 1, y: 2 }, [1, 2]],
  ['tmp', { vmsd: point }, { x: 1, y: 2 }, [1, 2]],
  ['qtailq', { vmsd: point }, [{ x: 1, y: 2 }], [1, 1, 2, 0]],
  ['qlist', { vmsd: point }, [], [0]],
  [
    'gtree',
    { vmsd: point },
    [{ key: 5n, value: { x: 1, y: 2 } }],
    [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 0],
  ],
  [
    'gtree',
    { vmsd: point, key_vmsd: point },
    [{ key: { x: 3, y: 4 }, value: { x: 1, y: 2 } }],
    [0, 0, 0, 1, 1, 3, 4, 1, 2, 0],
  ],
  ['pci irq state', { size: 2 }, Uint8Array.of(8, 9), [8, 9]],
]

describe('each type', () => {
  test.each(rows)('%s %j', (type, of, value, bytes) => {
    const vmsd = describing({ name: 'f', type, ...of })
    expect(load(vmsd, bytes)).toEqual({ f: value })
    expect(save(vmsd, { f: value })).toEqual(bytes)
  })

  test('none is left out here', () => {
    const tried = rows.map(([type]) => type)
    expect(Object.keys(vmstateTypes).filter((name) => !tried.includes(name))).toEqual([])
  })

  test('of what QEMU would take, too: any byte but 0 is true, and one more element', () => {
    expect(load(describing({ name: 'f', type: 'bool' }), [7])).toEqual({ f: true })
    const list = describing({ name: 'f', type: 'qlist', vmsd: point })
    expect(load(list, [9, 1, 2, 0])).toEqual({ f: [{ x: 1, y: 2 }] })
  })
})

describe('counts and sizes', () => {
  test('an array, its length in the description', () => {
    const vmsd = describing({ name: 'f', type: 'uint16', count: 2 })
    expect(load(vmsd, [0, 1, 0, 2])).toEqual({ f: [1, 2] })
    expect(save(vmsd, { f: [1, 2] })).toEqual([0, 1, 0, 2])
    expect(save(vmsd, { f: Uint16Array.of(1, 2) })).toEqual([0, 1, 0, 2])
  })

  test('its length in another field, multiplied', () => {
    const vmsd = describing(
      { name: 'n', type: 'uint8' },
      { name: 'f', type: 'uint8', count: 'n', multiply_elements: 2 },
    )
    expect(load(vmsd, [2, 1, 2, 3, 4])).toEqual({ n: 2, f: [1, 2, 3, 4] })
    expect(save(vmsd, { n: 2, f: [1, 2, 3, 4] })).toEqual([2, 1, 2, 3, 4])
    expect(load(vmsd, [1, 8, 9], { f: [1, 2, 3, 4] })).toEqual({ n: 1, f: [8, 9] })
  })

  test('its length in a member that does not travel', () => {
    const vmsd = describing({ name: 'f', type: 'uint8', count: 'n' })
    expect(load(vmsd, [8, 9], { n: 2 })).toEqual({ n: 2, f: [8, 9] })
    expect(() => load(vmsd, [8, 9], {})).toThrow('bad-description')
  })

  test('a buffer whose size is in another field, multiplied', () => {
    const vmsd = describing(
      { name: 'n', type: 'int32' },
      { name: 'f', type: 'buffer', size: 'n', multiply: 2 },
    )
    expect(load(vmsd, [0, 0, 0, 1, 7, 8])).toEqual({ n: 1, f: Uint8Array.of(7, 8) })
    expect(save(vmsd, { n: 1, f: Uint8Array.of(7, 8) })).toEqual([0, 0, 0, 1, 7, 8])
  })

  test('a bitmap whose length is in another field', () => {
    const vmsd = describing({ name: 'n', type: 'uint8' }, { name: 'f', type: 'bitmap', bits: 'n' })
    expect(load(vmsd, [1, ...ff(8)])).toEqual({ n: 1, f: Uint8Array.from(ff(8)) })
  })

  test.each([
    ['a negative count', [255, 255, 255, 255], 'uint8'],
    ['more than can be', [127, 255, 255, 255], 'uint8'],
  ])('%s', (_what, bytes, type) => {
    const vmsd = describing({ name: 'n', type: 'int32' }, { name: 'f', type, count: 'n' })
    expect(() => load(vmsd, bytes)).toThrow('too-long')
    const buffer = describing(
      { name: 'n', type: 'int32' },
      { name: 'f', type: 'buffer', size: 'n' },
    )
    expect(() => load(buffer, bytes)).toThrow('too-long')
  })

  test('elements of no bytes cannot go on and on', () => {
    const vmsd = describing(
      { name: 'n', type: 'uint32' },
      { name: 'f', type: 'struct', count: 'n', vmsd: describing() },
    )
    expect(() => load(vmsd, [0, 255, 255, 255])).toThrow('elements of no bytes')
  })

  test('nor can arrays of arrays of them', () => {
    let vmsd = describing({ name: 'f', type: 'buffer', size: 0, count: 60_000 })
    for (let i = 0; i < 3; i++)
      vmsd = describing({ name: 'f', type: 'struct', count: 60_000, vmsd })
    expect(() => load(vmsd, [])).toThrow('elements of no bytes')
  })
})

describe('pointers', () => {
  const vmsd = describing({ name: 'f', type: 'struct', count: 3, pointers: true, vmsd: point })

  test('a null one is the byte 0x30', () => {
    const device = { f: [null, { x: 1, y: 2 }, null] }
    expect(save(vmsd, device)).toEqual([0x30, 1, 2, 0x30])
    expect(load(vmsd, [0x30, 1, 2, 0x30])).toEqual(device)
  })

  test('the device that is filled decides, as in QEMU', () => {
    const there = { f: [{ x: 0, y: 0 }, null, { x: 0, y: 0 }] }
    expect(load(vmsd, [0x30, 1, 0x30, 2, 3], there)).toEqual({
      f: [{ x: 0x30, y: 1 }, null, { x: 2, y: 3 }],
    })
    const other = { f: [null, null, null] }
    expect(() => load(vmsd, [1, 2, 3], other)).toThrow(
      new QemuStreamError(
        'bad-value',
        0,
        'd:f',
        'the byte 0x30 was due, for a pointer that is null here',
      ),
    )
  })
})

describe('names out of a stream', () => {
  test.each(['__proto__', 'constructor', 'toString', 'parent'])(
    '%s is a member like any',
    (name) => {
      const vmsd = describing({ name, type: 'struct', vmsd: point }, { name: 'n', type: 'uint8' })
      const device = load(vmsd, [1, 2, 3])
      expect(Object.getOwnPropertyDescriptor(device, name)?.value).toEqual({ x: 1, y: 2 })
      expect(save(vmsd, device)).toEqual([1, 2, 3])
      expect(Object.getPrototypeOf(device)).toBe(Object.prototype)
    },
  )
})
