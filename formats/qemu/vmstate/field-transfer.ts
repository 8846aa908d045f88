// The inner half of the walk: one field, with all its elements, from the one visitor to the other. What is a
// struct within it goes back to the outer half, `transfer`.

import { elementField, FieldScope } from './field-scope.ts'
import { traceListBegin, traceListEnd } from './list-trace.ts'
import { valueRefusal } from './load-rules.ts'
import { QemuStreamError, type QemuStreamErrorCode } from '../file/qemu-stream-error.ts'
import type { QemuTrace } from './trace-events.ts'
import type { InputVisitor, OutputVisitor } from './visitor.ts'
import { type IntegerType, vmstateType, vmstateTypes } from './vmstate-types.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

/** The two ends of a transfer, and who hears of it. */
export class TransferEnds {
  readonly from: InputVisitor
  readonly to: OutputVisitor
  readonly trace: QemuTrace | undefined
  /** Out of anything but a device in memory, as QEMU loads out of a stream. */
  readonly isLoad: boolean

  constructor(from: InputVisitor, to: OutputVisitor, trace: QemuTrace | undefined) {
    this.from = from
    this.to = to
    this.trace = trace
    this.isLoad = from.device === undefined
  }

  fail(code: QemuStreamErrorCode, item: string, rule: string): never {
    throw new QemuStreamError(code, this.from.offset, item, rule)
  }
}

/** Elements that take no bytes are not bounded by the stream: so many in a row, and in all, are enough. */
const EMPTY_ROW_MAX = 0x10000
const EMPTY_ELEMENTS_MAX = 0x40000

const KEY: VMStateField = { name: 'key', type: 'uint64' }

export class FieldTransfer {
  readonly #ends: TransferEnds
  readonly #struct: (vmsd: VMStateDescription, version: number, field: VMStateField) => void

  /** Elements that took no bytes until now. */
  #empty = 0

  constructor(
    ends: TransferEnds,
    struct: (vmsd: VMStateDescription, version: number, field: VMStateField) => void,
  ) {
    this.#ends = ends
    this.#struct = struct
  }

  /** All elements of a field that exists. `parent` is the name of its description. */
  field(parent: string, field: VMStateField, scope: FieldScope | undefined): void {
    const { from, to, trace, isLoad } = this.#ends
    const { count } = field
    const elements = count === undefined ? 1 : (scope?.count(field, from.offset) ?? 0)
    if (trace !== undefined) {
      trace('vmstate_n_elems', field.name, elements)
      if (!isLoad) trace('vmstate_save_state_loop', parent, field.name, elements)
    }
    if (count === undefined) {
      this.#element(field, scope, undefined)
      return
    }
    from.beginArray(field, elements)
    to.beginArray(field, elements)
    if (this.#atOnce(field, elements)) {
      to.endArray(field)
      from.endArray(field)
      return
    }
    const start = from.offset
    let last = start
    for (let i = 0; i < elements; i++) {
      if (isLoad && i % EMPTY_ROW_MAX === 0 && i > 0) {
        if (from.offset === last) this.#countEmpty(field, EMPTY_ELEMENTS_MAX)
        last = from.offset
      }
      this.#element(field.elements === undefined ? field : elementField(field, i), scope, i)
    }
    if (isLoad && from.offset === start) this.#countEmpty(field, elements)
    to.endArray(field)
    from.endArray(field)
  }

  #countEmpty(field: VMStateField, elements: number): void {
    this.#empty += elements
    if (this.#empty < EMPTY_ELEMENTS_MAX) return
    this.#ends.fail('too-long', field.name, `${EMPTY_ELEMENTS_MAX} elements of no bytes and more`)
  }

  /** Integers that nothing is checked of move at once between two sides that can do so. */
  #atOnce(field: VMStateField, count: number): boolean {
    const { from, to } = this.#ends
    if (from.integers === undefined || to.integers === undefined) return false
    if (field.pointers || field.opaque || field.elements !== undefined) return false
    const type = vmstateType(field.type)
    if ((type.kind !== 'int' && type.kind !== 'int64') || type.check !== undefined) return false
    to.integers(field, type, from.integers(field, type, count))
    return true
  }

  #element(field: VMStateField, scope: FieldScope | undefined, index: number | undefined): void {
    const { from, to } = this.#ends
    if (field.pointers && from.nullPointer(field, this.#expectsNull(field, index))) {
      to.nullPointer(field)
      return
    }
    const type = field.opaque ? vmstateTypes.buffer : vmstateType(field.type)
    switch (type.kind) {
      case 'int': {
        const value = from.int(field, type)
        if (type.check !== undefined) this.#check(field, type, value, index)
        to.int(field, type, value)
        if (index === undefined) scope?.note(field.name, value)
        break
      }
      case 'int64': {
        const value = from.int64(field, type)
        if (type.check !== undefined) this.#check(field, type, value, index)
        to.int64(field, type, value)
        if (index === undefined) scope?.note(field.name, value)
        break
      }
      case 'bool': {
        const value = from.bool(field)
        to.bool(field, value)
        if (index === undefined) scope?.note(field.name, value)
        break
      }
      case 'bytes':
        to.bytes(field, from.bytes(field, this.#size(field, scope)))
        break
      case 'bitmap': {
        const bits = this.#bits(field, scope)
        to.bitmap(field, bits, from.bitmap(field, bits))
        break
      }
      case 'text':
        to.text(field, from.text(field))
        break
      case 'null':
        this.#null(field)
        break
      case 'struct':
        this.#inner(field)
        break
      default:
        this.#list(field, type.kind === 'tree')
    }
  }

  #null(field: VMStateField): void {
    const { from, to } = this.#ends
    if (!from.nullPointer(field, true)) this.#ends.fail('bad-value', field.name, 'no null pointer')
    to.nullPointer(field)
  }

  #inner(field: VMStateField): void {
    const { vmsd } = field
    if (vmsd !== undefined) this.#struct(vmsd, field.struct_version_id ?? vmsd.version_id, field)
    else this.#ends.fail('bad-description', field.name, `a ${field.type} without a description`)
  }

  #list(field: VMStateField, isTree: boolean): void {
    const { from, to, trace, isLoad } = this.#ends
    const count = from.beginList(field)
    to.beginList(field, count)
    if (trace) traceListBegin(trace, field, isLoad, count ?? 0)
    let seen = 0
    while (from.nextElement(field)) {
      if (isTree && seen === count) this.#ends.fail('bad-value', field.name, `more than ${count}`)
      to.nextElement(field)
      const element = field.elements === undefined ? field : elementField(field, seen)
      if (isTree) this.#key(element)
      this.#inner(isTree ? { ...element, name: 'value', type: 'struct' } : element)
      seen++
    }
    if (isTree && count !== undefined && seen < count) {
      this.#ends.fail('bad-value', field.name, `${seen} elements, not ${count}`)
    }
    to.endList(field)
    from.endList(field)
    if (trace) traceListEnd(trace, field, isLoad)
  }

  #key(field: VMStateField): void {
    const { from, to } = this.#ends
    const { key_vmsd } = field
    if (key_vmsd === undefined) {
      to.int64(KEY, vmstateTypes.uint64, from.int64(KEY, vmstateTypes.uint64))
      return
    }
    const key: VMStateField = { name: 'key', type: 'struct', vmsd: key_vmsd }
    this.#struct(key_vmsd, key_vmsd.version_id, key)
  }

  #size(field: VMStateField, scope: FieldScope | undefined): number {
    const { size, multiply } = field
    if (typeof size === 'number' && multiply === undefined) return size
    const { from, to } = this.#ends
    return (scope ?? new FieldScope(from, to)).size(field, from.offset)
  }

  #bits(field: VMStateField, scope: FieldScope | undefined): number {
    if (typeof field.bits === 'number') return field.bits
    if (field.bits === undefined) return 8 * this.#size(field, scope)
    const { from, to } = this.#ends
    return (scope ?? new FieldScope(from, to)).bits(field, from.offset)
  }

  /** Where the receiver has an array of pointers, it decides which of them are null. */
  #expectsNull(field: VMStateField, index: number | undefined): boolean | undefined {
    const { to, isLoad } = this.#ends
    if (to.device === undefined || !isLoad) return undefined
    const there = to.local?.(field.name)
    if (index === undefined) return there === undefined ? undefined : there === null
    if (!Array.isArray(there) || index >= there.length) return undefined
    return there[index] === null
  }

  /** Of `... equal` and `int32 le`, when loading into something that has a value already. */
  #check(
    field: VMStateField,
    type: IntegerType,
    value: number | bigint,
    index: number | undefined,
  ): void {
    if (!this.#ends.isLoad) return
    const there = this.#ends.to.local?.(field.name)
    const local: unknown = Array.isArray(there) && index !== undefined ? there[index] : there
    const rule = valueRefusal(field, type, value, local)
    if (rule !== undefined) this.#ends.fail('bad-value', field.name, rule)
  }
}
