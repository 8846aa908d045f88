// Descriptions of VMState by chance, and devices that fit them. First comes a description, then values for it,
// so that the elements of an array share one. Names tell the path, as a subsection's name must. And each struct
// begins with a byte that is not 5: else QEMU's format itself cannot tell whose a subsection is that follows.

import * as fc from 'fast-check'
import { vmstateType, vmstateTypes } from '../../formats/qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'

type Members = Record<string, unknown>

const SCALARS = Object.keys(vmstateTypes).filter((name) =>
  ['bool', 'int', 'int64'].includes(vmstateType(name).kind),
)

const FIRST: VMStateField = { name: 'first', type: 'uint8' }

const LISTS = ['qtailq', 'qlist', 'gtree'] as const

/** A member of a struct: its field, and the field ahead of it that says how large it is. */
function memberOf(path: string, depth: number): fc.Arbitrary<VMStateField[]> {
  const name = path.slice(path.lastIndexOf('.') + 1)
  const scalar = fc.constantFrom(...SCALARS).map((type) => [{ name, type }])
  const array = fc
    .tuple(fc.constantFrom(...SCALARS), fc.nat({ max: 4 }))
    .map(([type, count]) => [{ name, type, count }])
  const counted = fc
    .tuple(fc.constantFrom(...SCALARS), fc.constantFrom('uint8', 'uint16', 'int32'))
    .map(([type, of]) => [
      { name: `${name}_n`, type: of },
      { name, type, count: `${name}_n` },
    ])
  const buffer = fc.nat({ max: 9 }).map((size) => [{ name, type: 'buffer', size }])
  const sized = fc.constant<VMStateField[]>([
    { name: `${name}_n`, type: 'int32' },
    { name, type: 'buffer', size: `${name}_n` },
  ])
  const bitmap = fc.nat({ max: 130 }).map((bits) => [{ name, type: 'bitmap', bits }])
  const plain = fc.constantFrom('capability', 'nullptr').map((type) => [{ name, type }])
  const flat = fc.oneof(scalar, array, counted, buffer, sized, bitmap, plain)
  if (depth === 0) return flat
  const vmsd = descriptionOf(path, depth - 1)
  const keyVmsd = descriptionOf(`${path}-key`, 0)
  const struct = vmsd.map((inner) => [{ name, type: 'struct', vmsd: inner }])
  const structs = fc
    .tuple(vmsd, fc.nat({ max: 3 }), fc.boolean())
    .map(([inner, count, pointers]) => [{ name, type: 'struct', vmsd: inner, count, pointers }])
  const list = fc
    .tuple(vmsd, fc.constantFrom(...LISTS), fc.option(keyVmsd, { nil: undefined }))
    .map(([inner, type, key_vmsd]) => [
      key_vmsd === undefined || type !== 'gtree'
        ? { name, type, vmsd: inner }
        : { name, type, vmsd: inner, key_vmsd },
    ])
  return fc.oneof({ weight: 3, arbitrary: flat }, struct, structs, list)
}

function fieldsOf(path: string, depth: number): fc.Arbitrary<VMStateField[]> {
  return fc
    .nat({ max: 4 })
    .chain((count) =>
      fc.tuple(...Array.from({ length: count }, (_, i) => memberOf(`${path}.f${i}`, depth))),
    )
    .map((members) => [FIRST, ...members.flat()])
}

/** A subsection that is needed if the member that gives it its name is there. */
function subsectionOf(path: string): fc.Arbitrary<VMStateDescription> {
  const name = `${path}/s`
  const member = `sub_${path.length}`
  return memberOf(`${path}.s`, 0).map((fields) => ({
    name,
    version_id: 1,
    fields: [{ name: member, type: 'uint8' }, ...fields],
    needed: (device) => (device as Members)[member] !== undefined,
  }))
}

export function descriptionOf(path: string, depth: number): fc.Arbitrary<VMStateDescription> {
  return fc
    .tuple(fieldsOf(path, depth), fc.option(subsectionOf(path), { nil: undefined }))
    .map(([fields, sub]) => {
      const plain = { name: path, version_id: 1, minimum_version_id: 1, fields }
      return sub === undefined ? plain : { ...plain, subsections: [sub] }
    })
}

function scalarOf(type: string): fc.Arbitrary<unknown> {
  const row = vmstateType(type)
  if (row.kind === 'int') {
    const span = 2 ** (8 * row.bytes)
    const min = row.signed ? -span / 2 : 0
    return fc.integer({ min, max: min + span - 1 })
  }
  if (row.kind !== 'int64') return fc.boolean()
  const min = row.signed ? -(1n << 63n) : 0n
  return fc.bigInt({ min, max: min + (1n << 64n) - 1n })
}

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

/** One value, without regard to arrays. */
function elementOf(field: VMStateField): fc.Arbitrary<unknown> {
  const { type, vmsd, key_vmsd, size, bits } = field
  switch (vmstateType(type).kind) {
    case 'bytes':
      return typeof size === 'number' ? bytesOf(size) : fc.uint8Array({ maxLength: 9 })
    case 'bitmap':
      return bytesOf(8 * Math.ceil(Number(bits) / 64))
    case 'text':
      return fc.string({ maxLength: 255 })
    case 'null':
      return fc.constant(null)
    case 'struct':
      return vmsd === undefined ? fc.constant({}) : deviceOf(vmsd)
    case 'list':
      return vmsd === undefined ? fc.constant([]) : fc.array(deviceOf(vmsd), { maxLength: 3 })
    case 'tree': {
      if (vmsd === undefined) return fc.constant([])
      const key = key_vmsd === undefined ? scalarOf('uint64') : deviceOf(key_vmsd)
      return fc.array(fc.record({ key, value: deviceOf(vmsd) }), { maxLength: 3 })
    }
    default:
      return scalarOf(type)
  }
}

function valueOf(field: VMStateField): fc.Arbitrary<unknown> {
  const { count, pointers } = field
  if (field === FIRST) return fc.nat({ max: 4 })
  const element = pointers ? fc.option(elementOf(field), { nil: null }) : elementOf(field)
  if (count === undefined) return element
  const exactly = typeof count === 'number' ? { minLength: count, maxLength: count } : {}
  return fc.array(element, { maxLength: 9, ...exactly })
}

/** A device that fits, the lengths of its arrays and buffers included. */
export function deviceOf(vmsd: VMStateDescription): fc.Arbitrary<Members> {
  const own = fc.record(Object.fromEntries(vmsd.fields.map((one) => [one.name, valueOf(one)])))
  const [sub] = vmsd.subsections ?? []
  const more = sub === undefined ? fc.constant(null) : fc.option(deviceOf(sub))
  return fc.tuple(own, more).map(([members, others]) => {
    const device: Members = { ...members, ...others }
    for (const { name, count, size } of [...vmsd.fields, ...(sub?.fields ?? [])]) {
      const value = device[name] as { length: number } | undefined
      if (typeof count === 'string' && value !== undefined) device[count] = value.length
      if (typeof size === 'string' && value !== undefined) device[size] = value.length
    }
    return device
  })
}
