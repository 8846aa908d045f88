// The values that a struct's later fields need of its earlier ones: how many elements an array has, how many
// bytes a buffer, how many bits a bitmap. What no field said is asked of the device at either end, since QEMU's
// counts are members of the device and not all of them travel. Most structs need none of it, and have none.

import { QemuStreamError } from '../file/qemu-stream-error.ts'
import type { InputVisitor, OutputVisitor } from './visitor.ts'
import {
  VMSTATE_BYTES_MAX,
  VMSTATE_ELEMENTS_MAX,
  type VMStateDescription,
  type VMStateField,
} from './vmstate.ts'

const answers = new WeakMap<VMStateDescription, boolean>()

const refersToOthers = (field: VMStateField) =>
  field.field_exists !== undefined ||
  field.count !== undefined ||
  field.multiply !== undefined ||
  typeof field.size === 'string' ||
  typeof field.bits === 'string'

/** Whether a field of the struct or of its subsections, which share its values, refers to another. */
export function usesScope(vmsd: VMStateDescription): boolean {
  const known = answers.get(vmsd)
  if (known !== undefined) return known
  const uses = vmsd.fields.some(refersToOthers) || (vmsd.subsections ?? []).some(usesScope)
  answers.set(vmsd, uses)
  return uses
}

/** The row of one element, where each has its own. */
export function elementField(field: VMStateField, index: number): VMStateField {
  const element = field.elements?.[index]
  if (element !== undefined) return element
  const rule = `element ${index} is not described, only ${field.elements?.length ?? 0} are`
  throw new QemuStreamError('bad-description', 0, field.name, rule)
}

export class FieldScope {
  /** By name; without a prototype, since the names may come with the stream. */
  readonly values = Object.create(null) as Record<string, unknown>
  readonly #from: InputVisitor
  readonly #to: OutputVisitor

  constructor(from: InputVisitor, to: OutputVisitor) {
    this.#from = from
    this.#to = to
  }

  note(name: string, value: number | bigint | boolean): void {
    this.values[name] = value
  }

  /** Of elements. */
  count(field: VMStateField, offset: number): number {
    const count = this.#product(field.count ?? 1, field.multiply_elements, field, offset)
    return within(count, VMSTATE_ELEMENTS_MAX, 'elements', field, offset)
  }

  /** In bytes. */
  size(field: VMStateField, offset: number): number {
    const size = this.#product(field.size, field.multiply, field, offset)
    return within(size, VMSTATE_BYTES_MAX, 'bytes', field, offset)
  }

  bits(field: VMStateField, offset: number): number {
    const bits = this.#product(field.bits, undefined, field, offset)
    return within(bits, 8 * VMSTATE_BYTES_MAX, 'bits', field, offset)
  }

  #product(
    factor: number | string | undefined,
    multiplier: number | undefined,
    field: VMStateField,
    offset: number,
  ): number {
    const value = typeof factor === 'string' ? this.#value(factor) : factor
    if (value !== undefined) return value * (multiplier ?? 1)
    const rule = `${factor ?? 'its size'}, which says how large it is, is known from nowhere`
    throw new QemuStreamError('bad-description', offset, field.name, rule)
  }

  #value(name: string): number | undefined {
    for (const value of [this.values[name], this.#from.local?.(name), this.#to.local?.(name)]) {
      if (typeof value === 'number') return value
      if (typeof value === 'bigint') return Number(value)
    }
    return undefined
  }
}

function within(
  value: number,
  most: number,
  unit: string,
  field: VMStateField,
  offset: number,
): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  const rule = `${value} ${unit}: 0 to ${most} can be`
  throw new QemuStreamError('too-long', offset, field.name, rule)
}
