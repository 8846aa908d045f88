// The description that QEMU appends to a stream, as descriptions of VMState. It tells of this one stream and
// not of the devices: only what was sent is in it, so every field exists and every subsection is needed. What
// nobody but the device can read is bytes of the size that the description gives.

import { jsonMember, readJson, type JsonObject, type JsonValue } from './json-reader.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import { vmstateType } from '../vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../vmstate/vmstate.ts'

export interface VmDevice {
  readonly name: string
  readonly instance_id: number
  /** Written without VMState: one buffer, `data`. The version of its section is not in the description. */
  readonly isOldStyle: boolean
  /** Its version is that of the section; of an old-style device it is 0. */
  readonly vmsd: VMStateDescription
}

export interface VmDescription {
  /** Of the target, in bytes. */
  readonly page_size: number
  readonly devices: readonly VmDevice[]
}

/** A description within another, and how many bytes of the stream it accounts for. */
interface Body {
  readonly vmsd: VMStateDescription
  readonly bytes: number
}

const fail = (item: string, rule: string): never => {
  throw new QemuStreamError('bad-description', 0, item, rule)
}

/**
 * What the JSON says. Raises QemuStreamError bad-description; `offset` is where in the stream it begins.
 * @see qemu-streams.md, section 3
 */
export function readVmDescription(bytes: Uint8Array, offset = 0): VmDescription {
  const json = objectOf(readJson(bytes, offset), 'description')
  const devices = arrayOf(jsonMember(json, 'devices'), 'devices').map(readDevice)
  return { page_size: numberOf(json, 'page_size', 'description'), devices }
}

/** The device of a section. Some machines have several of one name and instance: `occurrence` counts them. */
export function findVmDevice(
  description: VmDescription,
  idstr: string,
  instance_id: number,
  occurrence = 0,
): VmDevice | undefined {
  let left = occurrence
  return description.devices.find(
    (one) => one.name === idstr && one.instance_id === instance_id && left-- === 0,
  )
}

/** Bytes that a device, struct or subsection takes by its description, without the head of a subsection. */
export function bytesOfVmsd(vmsd: VMStateDescription): number {
  let bytes = 0
  for (const field of vmsd.fields) bytes += bytesOfField(field)
  for (const sub of vmsd.subsections ?? []) bytes += 1 + 1 + sub.name.length + 4 + bytesOfVmsd(sub)
  return bytes
}

function bytesOfField(field: VMStateField): number {
  if (field.elements !== undefined && vmstateType(field.type).kind !== 'list') {
    if (typeof field.count === 'number') {
      return field.elements.reduce((sum, one) => sum + Number(one.size ?? 0), 0)
    }
  }
  return Number(field.size ?? 0) * Number(field.count ?? 1)
}

function readDevice(json: JsonValue): VmDevice {
  const device = objectOf(json, 'device')
  const name = textOf(device, 'name', 'device')
  const instance_id = numberOf(device, 'instance_id', name) >>> 0
  const isOldStyle = jsonMember(device, 'vmsd_name') === undefined
  if (!isOldStyle) return { name, instance_id, isOldStyle, vmsd: readVmsd(device, name) }
  const fields = readFields(jsonMember(device, 'fields'), name)
  return { name, instance_id, isOldStyle, vmsd: { name, version_id: 0, fields } }
}

function readVmsd(json: JsonObject, path: string): VMStateDescription {
  const [body, ...others] = readBodies(json, path)
  if (body === undefined || others.length > 0) return fail(path, 'one vmsd_name was due')
  return body.vmsd
}

/** The bodies within an object, in their order: each begins with its vmsd_name. */
function readBodies(json: JsonObject, path: string): Body[] {
  const starts = json.members.flatMap(({ key }, at) => (key === 'vmsd_name' ? [at] : []))
  return starts.map((start, i) => {
    const members = json.members.slice(start, starts[i + 1])
    const body: JsonObject = { kind: 'object', members }
    const name = textOf(body, 'vmsd_name', path)
    const inner = `${path} > ${name}`
    const version_id = numberOf(body, 'version', inner)
    const fields = readFields(jsonMember(body, 'fields'), inner)
    const subs = jsonMember(body, 'subsections')
    const plain = { name, version_id, minimum_version_id: version_id, fields }
    if (subs === undefined) return bodyOf(plain)
    const subsections = arrayOf(subs, inner).map((sub) => readVmsd(objectOf(sub, inner), inner))
    return bodyOf({ ...plain, subsections })
  })
}

const bodyOf = (vmsd: VMStateDescription): Body => ({ vmsd, bytes: bytesOfVmsd(vmsd) })

function readFields(json: JsonValue | undefined, path: string): VMStateField[] {
  const fields: VMStateField[] = []
  let elements: VMStateField[] = []
  for (const item of arrayOf(json, path)) {
    const object = objectOf(item, path)
    const name = textOf(object, 'name', path)
    const field = readField(object, name, `${path}:${name}`)
    if (jsonMember(object, 'index') === undefined) {
      fields.push(field)
      continue
    }
    const index = numberOf(object, 'index', path)
    const last = fields.at(-1)
    if (index === 0) {
      elements = [field]
      fields.push({ name, type: field.type, count: 1, elements })
    } else if (index === elements.length && last?.elements === elements && last.name === name) {
      elements.push(field)
      fields[fields.length - 1] = { name, type: field.type, count: elements.length, elements }
    } else fail(`${path}:${name}`, `index ${index} does not follow`)
  }
  return fields
}

function readField(json: JsonObject, name: string, path: string): VMStateField {
  const type = textOf(json, 'type', path)
  const size = numberOf(json, 'size', path)
  const hasLength = jsonMember(json, 'array_len') !== undefined
  const array = hasLength ? { count: numberOf(json, 'array_len', path) } : {}
  const plain = { name, type, size, ...array }
  const row = vmstateType(type)
  switch (row.kind) {
    case 'int':
    case 'int64':
      if (size === row.bytes) return plain
      // The element that is described is a null pointer.
      return size === 1 ? { ...plain, pointers: true } : fail(path, `${type} of ${size} bytes`)
    case 'bool':
      return size === 1 ? plain : fail(path, `${type} of ${size} bytes`)
    case 'struct':
      return readStruct(json, plain, path)
    case 'list':
    case 'tree':
      return readList(plain, readBodies(json, path), path)
    default:
      return plain
  }
}

function readStruct(json: JsonObject, plain: VMStateField, path: string): VMStateField {
  const inner = plain.type === 'struct' ? jsonMember(json, 'struct') : json
  const object = objectOf(inner, path)
  const [body, ...others] = readBodies(object, path)
  if (body === undefined) {
    const none: VMStateDescription = { name: plain.name, version_id: 0, fields: [] }
    if (plain.size === 1) return { ...plain, pointers: true, vmsd: none }
    // Its device wrote the body without saying what is in it.
    return { ...plain, opaque: true }
  }
  if (others.length > 0) return fail(path, 'more than one body')
  const { vmsd } = body
  return { ...plain, vmsd, struct_version_id: vmsd.version_id }
}

/** The elements of a list or a tree. Whether a tree has keys of their own kind, its size tells. */
function readList(plain: VMStateField, bodies: readonly Body[], path: string): VMStateField {
  const bytes = bodies.reduce((sum, body) => sum + body.bytes, 0)
  const { name, type } = plain
  const values = bodies.map(({ vmsd }): VMStateField => ({ name, type: 'struct', vmsd }))
  if (vmstateType(type).kind === 'list') {
    if (plain.size !== bytes + bodies.length + 1) return { ...plain, opaque: true }
    return { ...plain, elements: values }
  }
  if (plain.size === 4 + bytes + 9 * bodies.length + 1) return { ...plain, elements: values }
  if (plain.size !== 4 + bytes + bodies.length / 2 + 1) return { ...plain, opaque: true }
  const elements = values.flatMap((value, i): VMStateField[] => {
    if (i % 2 === 0) return []
    const key_vmsd = bodies[i - 1]?.vmsd
    return [key_vmsd === undefined ? value : { ...value, key_vmsd }]
  })
  return elements.length * 2 === bodies.length
    ? { ...plain, elements }
    : fail(path, `${bodies.length} bodies of keys and values`)
}

function objectOf(json: JsonValue | undefined, path: string): JsonObject {
  const isObject = typeof json === 'object' && json !== null && json.kind === 'object'
  return isObject ? json : fail(path, 'an object was due')
}

function arrayOf(json: JsonValue | undefined, path: string): readonly JsonValue[] {
  const isArray = typeof json === 'object' && json !== null && json.kind === 'array'
  return isArray ? json.items : fail(path, 'an array was due')
}

function textOf(json: JsonObject, key: string, path: string): string {
  const value = jsonMember(json, key)
  return typeof value === 'string' ? value : fail(path, `a string ${key} was due`)
}

/** A whole number of at most 32 bits. */
function numberOf(json: JsonObject, key: string, path: string): number {
  const value = jsonMember(json, key)
  const isNumber = typeof value === 'object' && value !== null && value.kind === 'number'
  const number = isNumber ? Number(value.text) : Number.NaN
  if (Number.isInteger(number) && Math.abs(number) < 2 ** 32) return number
  return fail(path, `a number ${key} was due`)
}
