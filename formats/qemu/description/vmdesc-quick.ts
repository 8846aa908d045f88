// A quick way to the same descriptions that vmdesc.ts reads, from what the language's own JSON parser gives. That
// parser keeps only the last of keys that repeat, so this declines whatever has lists in it, and anything unusual
// too: the careful reader then reads it, or says what is wrong. A command that decodes one stream and ends spends
// most of its time on what is done once, and this is done once.

import { vmstateType } from '../vmstate/vmstate-types.ts'
import type { VmDescription, VmDevice } from './vmdesc.ts'
import type { VMStateDescription, VMStateField } from '../vmstate/vmstate.ts'

interface ParsedBody {
  readonly vmsd_name?: unknown
  readonly version?: unknown
  readonly fields?: unknown
  readonly subsections?: unknown
}

interface ParsedField extends ParsedBody {
  readonly name?: unknown
  readonly type?: unknown
  readonly size?: unknown
  readonly array_len?: unknown
  readonly index?: unknown
  readonly struct?: unknown
}

interface ParsedDevice extends ParsedBody {
  readonly name?: unknown
  readonly instance_id?: unknown
}

const DEPTH_MAX = 100

/** Thrown where the careful reader must have a look. */
const UNUSUAL = new Error('not for the quick reader')

/** Of a description parsed by JSON.parse; undefined if it is not for this reader. */
export function quickDescription(parsed: unknown): VmDescription | undefined {
  try {
    const { page_size, devices } = parsed as { page_size?: unknown; devices?: unknown }
    return {
      page_size: numberOf(page_size),
      devices: listOf(devices).map((device) => deviceOf(device as ParsedDevice)),
    }
  } catch (error) {
    if (error === UNUSUAL || error instanceof TypeError) return undefined
    throw error
  }
}

function deviceOf(device: ParsedDevice): VmDevice {
  const name = textOf(device.name)
  const instance_id = numberOf(device.instance_id) >>> 0
  if (device.vmsd_name !== undefined) {
    return { name, instance_id, isOldStyle: false, vmsd: vmsdOf(device, 0) }
  }
  const vmsd = { name, version_id: 0, fields: fieldsOf(device.fields, 0) }
  return { name, instance_id, isOldStyle: true, vmsd }
}

function vmsdOf(body: ParsedBody, depth: number): VMStateDescription {
  if (depth > DEPTH_MAX) throw UNUSUAL
  const name = textOf(body.vmsd_name)
  const version_id = numberOf(body.version)
  const fields = fieldsOf(body.fields, depth)
  const plain = { name, version_id, minimum_version_id: version_id, fields }
  if (body.subsections === undefined) return plain
  const subsections = listOf(body.subsections).map((one) => vmsdOf(one as ParsedBody, depth + 1))
  return { ...plain, subsections }
}

function fieldsOf(parsed: unknown, depth: number): VMStateField[] {
  const fields: VMStateField[] = []
  let elements: VMStateField[] = []
  for (const one of listOf(parsed) as ParsedField[]) {
    const field = fieldOf(one, depth)
    if (one.index === undefined) {
      fields.push(field)
      continue
    }
    const { name, type } = field
    if (one.index === 0) {
      elements = [field]
      fields.push({ name, type, count: 1, elements })
    } else {
      const last = fields.at(-1)
      if (one.index !== elements.length || last?.elements !== elements || last.name !== name) {
        throw UNUSUAL
      }
      elements.push(field)
      fields[fields.length - 1] = { name, type, count: elements.length, elements }
    }
  }
  return fields
}

function fieldOf(field: ParsedField, depth: number): VMStateField {
  const name = textOf(field.name)
  const type = textOf(field.type)
  const size = numberOf(field.size)
  const plain =
    field.array_len === undefined
      ? { name, type, size }
      : { name, type, size, count: numberOf(field.array_len) }
  const row = vmstateType(type)
  switch (row.kind) {
    case 'int':
    case 'int64':
      if (size !== row.bytes) throw UNUSUAL
      return plain
    case 'bool':
      if (size !== 1) throw UNUSUAL
      return plain
    case 'struct': {
      const body = (type === 'struct' ? field.struct : field) as ParsedBody
      if (body.vmsd_name === undefined) throw UNUSUAL
      const vmsd = vmsdOf(body, depth + 1)
      return { ...plain, vmsd, struct_version_id: vmsd.version_id }
    }
    case 'list':
    case 'tree':
      throw UNUSUAL
    default:
      return plain
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw UNUSUAL
  return value
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw UNUSUAL
  return value
}

/** A whole number of at most 32 bits. */
function numberOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) >= 2 ** 32) {
    throw UNUSUAL
  }
  return value
}
