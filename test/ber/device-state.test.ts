// One description drives both media: any device goes from an object into BER and back, from QEMU's bytes into BER
// and back; and what a VMState has otherwise than its description is refused, by the field's name.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BerInputVisitor } from '../../formats/ber/ber-input-visitor.ts'
import { BerOutputVisitor } from '../../formats/ber/ber-output-visitor.ts'
import type { BerWriter } from '../../formats/ber/ber-writer.ts'
import { stateIntoBer, stateOutOfBer } from '../../formats/ber/device-state.ts'
import { TAGS } from '../../formats/ber/migration-tags.ts'
import { BinaryOutputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import {
  ObjectInputVisitor,
  ObjectOutputVisitor,
} from '../../formats/qemu/vmstate/object-visitor.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesOut } from '../qemu/bytes.ts'
import { descriptionOf, deviceOf } from '../qemu/descriptions.ts'
import { berOf, errorOf, hex, readerOf } from './bytes.ts'

const described = descriptionOf('d', 2).chain((vmsd) =>
  fc.record({ vmsd: fc.constant(vmsd), device: deviceOf(vmsd) }),
)

const berOfDevice = (vmsd: VMStateDescription, device: object) =>
  berOf('definite', (ber) => {
    transfer(vmsd, new ObjectInputVisitor(device), new BerOutputVisitor(ber))
  })

function deviceOfBer(vmsd: VMStateDescription, bytes: Uint8Array): object {
  const device = {}
  const ber = readerOf(bytes)
  transfer(vmsd, new BerInputVisitor(ber), new ObjectOutputVisitor(device))
  ber.endOfFile()
  return device
}

describe('any device', () => {
  it('goes from an object into BER and back', () => {
    fc.assert(
      fc.property(described, ({ vmsd, device }) => {
        expect(deviceOfBer(vmsd, berOfDevice(vmsd, device))).toEqual(device)
      }),
      { numRuns: 300 },
    )
  })

  it('is the same BER from an object and from the bytes of QEMU, and the same bytes again', () => {
    fc.assert(
      fc.property(described, ({ vmsd, device }) => {
        const body = bytesOut((file) => {
          transfer(vmsd, new ObjectInputVisitor(device), new BinaryOutputVisitor(file))
        })
        const { encoded, reason } = stateIntoBer(body, vmsd, vmsd.version_id)
        expect(reason).toBeUndefined()
        const ber = berOfDevice(vmsd, device)
        expect(hex(encoded ?? new Uint8Array())).toBe(hex(ber))
        expect(hex(stateOutOfBer(readerOf(ber), vmsd, vmsd.version_id))).toBe(hex(body))
      }),
      { numRuns: 300 },
    )
  })
})

const vmsd: VMStateDescription = {
  name: 'dev',
  version_id: 1,
  fields: [
    { name: 'a', type: 'uint8' },
    { name: 'b', type: 'int16', count: 2 },
    { name: 'c', type: 'uint64' },
    { name: 'd', type: 'buffer', size: 3 },
    { name: 'e', type: 'bitmap', bits: 65 },
    { name: 'f', type: 'capability' },
    { name: 'g', type: 'bool' },
  ],
  subsections: [{ name: 'dev/more', version_id: 2, fields: [{ name: 'h', type: 'int64' }] }],
}

type Change = (ber: BerWriter) => void

/** A VMState of `vmsd` in which some writers are others. */
function state(changes: Readonly<Record<string, Change>> = {}): Uint8Array {
  const fields: readonly (readonly [string, Change])[] = [
    ['a', (ber) => ber.integer(255)],
    ['b', (ber) => (ber.hold(), ber.integer(-32_768), ber.integer(32_767), ber.close())],
    ['c', (ber) => ber.octets(new Uint8Array(8).fill(255), TAGS.u64)],
    ['d', (ber) => ber.octets(Uint8Array.of(1, 2, 3))],
    ['e', (ber) => ber.bits(new Uint8Array(16))],
    ['f', (ber) => ber.text('\u00e9')],
    ['g', (ber) => ber.boolean(true)],
    ['more', () => {}],
  ]
  const write = (ber: BerWriter, name: string) => {
    const own = fields.find(([field]) => field === name)?.[1]
    ;(changes[name] ?? own)?.(ber)
  }
  return berOf('definite', (ber) => {
    ber.hold(TAGS.VMState)
    ber.hold()
    for (const [name] of fields) write(ber, name)
    ber.close()
    ber.hold(TAGS.SubSecList)
    ber.hold(TAGS.SubSection)
    if (changes['name']) changes['name'](ber)
    else ber.name('dev/more')
    ber.integer(2)
    ber.hold(TAGS.VMState)
    ber.hold()
    ber.integer(-1)
    ber.close()
    ber.close()
    ber.close()
    ber.close()
    ber.close()
  })
}

describe('a VMState', () => {
  it('is read as its description has it', () => {
    expect(deviceOfBer(vmsd, state())).toEqual({
      a: 255,
      b: [-32_768, 32_767],
      c: 2n ** 64n - 1n,
      d: Uint8Array.of(1, 2, 3),
      e: new Uint8Array(16),
      f: '\u00e9',
      g: true,
      h: -1n,
    })
  })

  it.each([0n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n])('has the uint64 %s', (c) => {
    const one: VMStateDescription = {
      name: 'x',
      version_id: 1,
      fields: [{ name: 'c', type: 'uint64' }],
    }
    expect(deviceOfBer(one, berOfDevice(one, { c }))).toEqual({ c })
  })

  it.each<[string, Record<string, Change>, string, string]>([
    ['a number that is too large', { a: (ber) => ber.integer(256) }, 'bad-value', 'a'],
    ['a number below 0', { a: (ber) => ber.integer(-1) }, 'bad-value', 'a'],
    ['a field of another type', { a: (ber) => ber.boolean(true) }, 'unexpected', 'a'],
    ['no field', { a: () => {} }, 'unexpected', 'a'],
    [
      'too few elements',
      { b: (ber) => (ber.hold(), ber.integer(0), ber.close()) },
      'unexpected',
      'b',
    ],
    [
      'u64 of a number that is small',
      { c: (ber) => ber.octets(new Uint8Array(8), TAGS.u64) },
      'bad-value',
      'c',
    ],
    [
      'u64 of 7 octets',
      { c: (ber) => ber.octets(new Uint8Array(7).fill(255), TAGS.u64) },
      'bad-value',
      'c',
    ],
    ['a negative INTEGER for a uint64', { c: (ber) => ber.integer(-1) }, 'bad-value', 'c'],
    ['a buffer of another size', { d: (ber) => ber.octets(new Uint8Array(4)) }, 'bad-value', 'd'],
    ['a bitmap of another size', { e: (ber) => ber.bits(new Uint8Array(8)) }, 'bad-value', 'e'],
    ['a character that is no byte', { f: (ber) => ber.text('\u20ac') }, 'bad-value', 'f'],
    ['a text of 256 bytes', { f: (ber) => ber.text('x'.repeat(256)) }, 'bad-value', 'f'],
    ['a field more', { more: (ber) => ber.integer(1) }, 'unexpected', 'dev'],
    ["another device's subsection", { name: (ber) => ber.name('other') }, 'unexpected', 'dev'],
  ])('with %s is refused', (_, changes, code, item) => {
    const error = errorOf(() => deviceOfBer(vmsd, state(changes)))
    expect(error).toMatchObject({ code, item })
  })
})

describe('bytes that do not come back stay bytes', () => {
  const one: VMStateDescription = {
    name: 'x',
    version_id: 1,
    fields: [{ name: 'on', type: 'bool' }],
  }
  it.each<[string, number[], number, RegExp]>([
    ['a bool of 2', [2], 1, /a value that its type cannot have/],
    ['more bytes than described', [1, 0], 1, /ends at byte 1 of 2/],
    ['fewer', [], 1, /truncated/],
    ['a version that the description is too old for', [1], 2, /bad-version/],
  ])('%s', (_, body, version, reason) => {
    const told = stateIntoBer(Uint8Array.from(body), one, version)
    expect(told.encoded).toBeUndefined()
    expect(told.reason).toMatch(reason)
  })
})
