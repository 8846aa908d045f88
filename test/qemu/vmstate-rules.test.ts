// What QEMU refuses when it loads a device, what it leaves to an outer level, and in which order a device's own
// code is called.

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
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesOut, fileOf } from './bytes.ts'

type Members = Record<string, unknown>

/** Loads, and returns how many bytes were taken. */
function load(
  vmsd: VMStateDescription,
  bytes: readonly number[],
  device: object,
  version_id = vmsd.version_id,
): number {
  const file = fileOf(Uint8Array.from(bytes))
  transfer(vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor(device), { version_id })
  return file.offset
}

function save(vmsd: VMStateDescription, device: object): number[] {
  const bytes = bytesOut((file) => {
    transfer(vmsd, new ObjectInputVisitor(device), new BinaryOutputVisitor(file))
  })
  return [...bytes]
}

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof QemuStreamError) return error.message
    throw error
  }
  return 'nothing was refused'
}

const text = (name: string) => Array.from(Buffer.from(name, 'latin1'))
const sub = (name: string, ...rest: number[]) => [5, name.length, ...text(name), 0, 0, 0, ...rest]

const plain: VMStateDescription = {
  name: 'rtc',
  version_id: 3,
  minimum_version_id: 2,
  fields: [
    { name: 'a', type: 'uint8' },
    { name: 'b', type: 'uint8', version_id: 3 },
  ],
}

describe('versions', () => {
  test('one that is too new', () => {
    expect(refusal(() => load(plain, [1, 2], {}, 4))).toBe(
      'bad-version at byte 0 (rtc): rtc: incoming version_id 4 is too new for local version_id 3',
    )
  })

  test('one that is too old', () => {
    expect(refusal(() => load(plain, [1, 2], {}, 1))).toBe(
      'bad-version at byte 0 (rtc): rtc: incoming version_id 1 is too old for local minimum version_id 2',
    )
  })

  test('what an older one lacks stays as it was', () => {
    const device = { a: 0, b: 77 }
    expect(load(plain, [1, 2], device, 2)).toBe(1)
    expect(device).toEqual({ a: 1, b: 77 })
  })

  test('a vstruct has a version of its own', () => {
    const vmsd: VMStateDescription = {
      name: 'board',
      version_id: 1,
      fields: [{ name: 'rtc', type: 'vstruct', vmsd: plain, struct_version_id: 2 }],
    }
    expect(save(vmsd, { rtc: { a: 1, b: 2 } })).toEqual([1])
    const device = {}
    expect(load(vmsd, [9, 9], device)).toBe(1)
    expect(device).toEqual({ rtc: { a: 9 } })
  })

  test('of a subsection', () => {
    const vmsd: VMStateDescription = {
      name: 'rtc',
      version_id: 1,
      fields: [],
      subsections: [{ name: 'rtc/x', version_id: 1, fields: [] }],
    }
    expect(refusal(() => load(vmsd, sub('rtc/x', 2), {}))).toContain(
      'rtc/x: incoming version_id 2 is too new for local version_id 1',
    )
  })
})

describe('values', () => {
  const one = (field: object): VMStateDescription => ({
    name: 'd',
    version_id: 1,
    fields: [{ name: 'f', type: 'uint8', ...field }],
  })

  test.each([
    ['uint8 equal', [5], 6, '6 != 5'],
    ['uint16 equal', [0, 5], 6, '6 != 5'],
    ['int32 equal', [255, 255, 255, 255], 6, '6 != ffffffff'],
    ['uint32 equal', [255, 0, 0, 1], 0xff000002, 'ff000002 != ff000001'],
    ['int64 equal', [255, 0, 0, 0, 0, 0, 0, 1], 1n, '1 != ff00000000000001'],
    ['int32 le', [0, 0, 0, 9], 8, 'Invalid value 9 expecting positive value <= 8'],
    ['int32 le', [255, 0, 0, 9], 8, 'Invalid value -16777207 expecting positive value <= 8'],
  ])('%s', (type, bytes, local, rule) => {
    expect(refusal(() => load(one({ type }), bytes, { f: local }))).toContain(`(d:f): ${rule}`)
    expect(refusal(() => load(one({ type, expected: local }), bytes, {}))).toContain(rule)
  })

  test('what is equal, or less, is taken', () => {
    const device = { f: 8 }
    load(one({ type: 'int32 le' }), [0, 0, 0, 3], device)
    expect(device.f).toBe(3)
    load(one({ type: 'int32 equal' }), [0, 0, 0, 3], device)
    expect(device.f).toBe(3)
  })

  test('a field that must exist', () => {
    const vmsd = one({ must_exist: true, field_exists: () => false })
    expect(refusal(() => load(vmsd, [1], {}))).toContain('Input validation failed: d/f')
    expect(refusal(() => save(vmsd, { f: 1 }))).toContain('Output state validation failed: d/f')
  })

  test('a device that does not fit its description cannot be saved', () => {
    expect(refusal(() => save(one({}), { f: 256 }))).toContain('(d:f): 256 is no uint8')
    expect(refusal(() => save(one({}), {}))).toContain('undefined is no uint8')
    expect(refusal(() => save(one({ type: 'int64' }), { f: 1n << 63n }))).toContain('is no int64')
    expect(refusal(() => save(one({ count: 2 }), { f: [1] }))).toContain('1 elements, 2 were due')
    const buffer = one({ type: 'buffer', size: 2 })
    expect(refusal(() => save(buffer, { f: new Uint8Array(3) }))).toContain('of 2 bytes')
  })

  test('a cut names the field, the place and the path to it', () => {
    const vmsd: VMStateDescription = {
      name: 'board',
      version_id: 1,
      fields: [{ name: 'rtcs', type: 'struct', count: 2, vmsd: plain }],
    }
    expect(refusal(() => load(vmsd, [1, 2, 3], {}))).toBe(
      'truncated at byte 3 (board:rtcs > rtc:b): the stream ends here: 1 more bytes were due, 0 are there',
    )
  })
})

describe('subsections', () => {
  const vmsd: VMStateDescription = {
    name: 'ipl',
    version_id: 1,
    fields: [
      {
        name: 'inner',
        type: 'struct',
        vmsd: {
          name: 'ipl/iplb',
          version_id: 1,
          fields: [],
          subsections: [
            {
              name: 'ipl/iplb_extended',
              version_id: 1,
              needed: (device) => 'x' in device,
              fields: [{ name: 'x', type: 'uint8' }],
            },
          ],
        },
      },
    ],
    subsections: [
      {
        name: 'ipl_more',
        version_id: 1,
        needed: (device) => 'y' in device,
        fields: [{ name: 'y', type: 'uint8' }],
      },
    ],
  }

  test('a name needs only its prefix, and belongs to whoever has that', () => {
    const device = {}
    const bytes = [...sub('ipl/iplb_extended', 1, 7), ...sub('ipl_more', 1, 8)]
    expect(load(vmsd, bytes, device)).toBe(bytes.length)
    expect(device).toEqual({ inner: { x: 7 }, y: 8 })
    expect(save(vmsd, device)).toEqual(bytes)
  })

  test('only what is needed is saved', () => {
    expect(save(vmsd, { inner: {}, y: 8 })).toEqual(sub('ipl_more', 1, 8))
  })

  test('one of somebody else is left where it is', () => {
    expect(load(vmsd, sub('other/x', 1, 2), {})).toBe(0)
    expect(load(vmsd, sub('ipl', 1, 2), {})).toBe(0)
  })

  test('one that has the prefix and is not known is refused', () => {
    expect(refusal(() => load(vmsd, sub('ipl/new', 1), {}))).toContain(
      'no subsection ipl/new is known here',
    )
  })

  test('its head cut short', () => {
    expect(load(vmsd, [5, 8, ...text('ipl_m')], {})).toBe(0)
    expect(refusal(() => load(vmsd, [5, 8, ...text('ipl_more'), 0, 0], {}))).toContain('truncated')
  })
})

describe('hooks', () => {
  const told: string[] = []
  const tell = (name: string) => (_device: object, version?: number) => {
    told.push(version === undefined ? name : `${name} ${version}`)
  }
  const hooks = (name: string) => ({
    name,
    version_id: 4,
    pre_load: tell(`${name} pre_load`),
    post_load: tell(`${name} post_load`),
    pre_save: tell(`${name} pre_save`),
    post_save: tell(`${name} post_save`),
  })
  const vmsd: VMStateDescription = {
    ...hooks('a'),
    fields: [{ name: 's', type: 'struct', vmsd: { ...hooks('b'), fields: [] } }],
    subsections: [{ ...hooks('a/c'), fields: [] }],
  }

  test('when loading', () => {
    told.length = 0
    load(vmsd, sub('a/c', 2), {}, 3)
    const inner = ['b pre_load', 'b post_load 4', 'a/c pre_load', 'a/c post_load 2']
    expect(told).toEqual(['a pre_load', ...inner, 'a post_load 3'])
  })

  test('when saving', () => {
    told.length = 0
    save(vmsd, { s: {} })
    const inner = ['b pre_save', 'b post_save', 'a/c pre_save', 'a/c post_save']
    expect(told).toEqual(['a pre_save', ...inner, 'a post_save'])
  })

  test.each(['pre_load', 'post_load'] as const)('%s can refuse', (hook) => {
    const refusing = { ...plain, [hook]: () => 'the clock is broken' }
    expect(refusal(() => load(refusing, [1, 2], {}))).toContain(
      `(rtc): ${hook} refuses: the clock is broken`,
    )
  })

  test.each(['pre_save', 'post_save'] as const)('%s can refuse', (hook) => {
    const refusing = { ...plain, [hook]: () => 'the clock is broken' }
    expect(refusal(() => save(refusing, { a: 1, b: 2 }))).toContain(`${hook} refuses`)
  })

  test('a tmp finds its device, and is gone afterwards', () => {
    const fpreg: VMStateDescription = {
      name: 'fpreg',
      version_id: 1,
      fields: [
        {
          name: 'tmp',
          type: 'tmp',
          vmsd: {
            name: 'fpreg_tmp',
            version_id: 1,
            fields: [{ name: 'low', type: 'uint8' }],
            pre_save(tmp) {
              const { parent } = tmp as { parent: Members }
              Object.assign(tmp, { low: Number(parent.value) & 0xff })
            },
            post_load(tmp) {
              const { parent, low } = tmp as { parent: Members; low: number }
              parent.value = low
            },
          },
        },
      ],
    }
    expect(save(fpreg, { value: 0x1234 })).toEqual([0x34])
    const device = {}
    load(fpreg, [0x56], device)
    expect(device).toEqual({ value: 0x56 })
  })
})
