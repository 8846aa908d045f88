// The one walk: through a description, once, and each value from the one visitor to the other. What moves
// where is the pair's matter: from bytes into a device is loading, from a device into bytes is saving, from
// bytes into a tree is decoding. The device, wherever it is, has its hooks called. Versions are judged as
// QEMU judges them when it loads, in its own words; nothing is checked of what a device itself gives.

import { elementField, FieldScope, usesScope } from './field-scope.ts'
import { QemuStreamError, type QemuStreamErrorCode } from './qemu-stream-error.ts'
import { traceListBegin, traceListEnd } from './list-trace.ts'
import type { QemuTrace } from './trace-events.ts'
import type { InputVisitor, OutputVisitor } from './visitor.ts'
import { type IntegerType, vmstateType, vmstateTypes } from './vmstate-types.ts'
import type { HookResult, VMStateDescription, VMStateField } from './vmstate.ts'

export interface TransferOptions {
  /** The version in which the state is: that of the description if absent. */
  readonly version_id?: number
  readonly trace?: QemuTrace | undefined
}

/** What QEMU's functions return, by our codes: -EINVAL but for two. */
const errnoOf = (code: QemuStreamErrorCode, rule: string): number => {
  if (code === 'truncated') return -5
  return code === 'bad-value' && rule.startsWith('no subsection') ? -2 : -22
}

/** Deeper than any device: a description that comes with the stream must not use up the stack. */
const DEPTH_MAX = 256

const KEY: VMStateField = { name: 'key', type: 'uint64' }

/**
 * Moves the state that `vmsd` describes. Raises QemuStreamError: bad-version for a version that is too new or
 * too old, bad-value for what a field or a hook refuses, and whatever the visitors raise.
 * @see qemu-streams.md, section 2.3
 */
export function transfer(
  vmsd: VMStateDescription,
  from: InputVisitor,
  to: OutputVisitor,
  options: TransferOptions = {},
): void {
  const walk = new Transfer(from, to, options.trace)
  walk.struct(vmsd, options.version_id ?? vmsd.version_id)
}

class Transfer {
  readonly #from: InputVisitor
  readonly #to: OutputVisitor
  readonly #trace: QemuTrace | undefined
  #depth = 0

  constructor(from: InputVisitor, to: OutputVisitor, trace: QemuTrace | undefined) {
    this.#from = from
    this.#to = to
    this.#trace = trace
  }

  struct(vmsd: VMStateDescription, version: number, field?: VMStateField): void {
    if (++this.#depth > DEPTH_MAX) {
      this.#fail('too-long', vmsd.name, `structs within each other, more than ${DEPTH_MAX}`)
    }
    this.#from.beginStruct(vmsd, field)
    this.#to.beginStruct(vmsd, field)
    this.#body(vmsd, version, undefined)
    this.#to.endStruct(vmsd, field)
    this.#from.endStruct(vmsd, field)
    this.#depth--
  }

  /** Hooks, fields and subsections of a struct or of a subsection, which shares its parent's values. */
  #body(vmsd: VMStateDescription, version: number, outer: FieldScope | undefined): void {
    const saved = this.#from.device
    const loaded = this.#to.device
    if (saved === undefined) this.#beginLoad(vmsd, version)
    else this.#beginSave(vmsd, saved)
    if (loaded !== undefined) this.#hook(vmsd, 'pre_load', vmsd.pre_load?.(loaded))
    const scope = outer ?? (usesScope(vmsd) ? new FieldScope(this.#from, this.#to) : undefined)
    this.#fields(vmsd, version, scope)
    this.#subsections(vmsd, scope)
    if (loaded !== undefined) this.#hook(vmsd, 'post_load', vmsd.post_load?.(loaded, version))
    if (saved !== undefined) this.#hook(vmsd, 'post_save', vmsd.post_save?.(saved))
    else this.#trace?.('vmstate_load_state_end', vmsd.name, 'end', 0)
  }

  #beginLoad(vmsd: VMStateDescription, version: number): void {
    const { name, version_id, minimum_version_id = 0 } = vmsd
    this.#trace?.('vmstate_load_state', name, version)
    const incoming = `${name}: incoming version_id ${version} is too`
    if (version > version_id) {
      this.#trace?.('vmstate_load_state_end', name, 'too new', -22)
      this.#fail('bad-version', name, `${incoming} new for local version_id ${version_id}`)
    }
    if (version < minimum_version_id) {
      this.#trace?.('vmstate_load_state_end', name, 'too old', -22)
      const rule = `${incoming} old for local minimum version_id ${minimum_version_id}`
      this.#fail('bad-version', name, rule)
    }
  }

  #beginSave(vmsd: VMStateDescription, device: object): void {
    this.#trace?.('vmstate_save_state_top', vmsd.name)
    if (vmsd.pre_save === undefined) return
    const refusal = vmsd.pre_save(device)
    this.#trace?.('vmstate_save_state_pre_save_res', vmsd.name, refusal === undefined ? 0 : -22)
    this.#hook(vmsd, 'pre_save', refusal)
  }

  #hook(vmsd: VMStateDescription, name: string, refusal: HookResult): void {
    if (refusal !== undefined) this.#fail('bad-value', vmsd.name, `${name} refuses: ${refusal}`)
  }

  #fields(vmsd: VMStateDescription, version: number, scope: FieldScope | undefined): void {
    const isLoad = this.#from.device === undefined
    for (const field of vmsd.fields) {
      if (isLoad) this.#trace?.('vmstate_load_state_field', vmsd.name, field.name)
      if (!this.#exists(field, version, scope)) {
        if (!field.must_exist) continue
        const direction = isLoad ? 'Input' : 'Output state'
        const rule = `${direction} validation failed: ${vmsd.name}/${field.name}`
        this.#fail('bad-value', `${vmsd.name}/${field.name}`, rule)
      }
      try {
        this.#field(vmsd, field, scope, isLoad)
      } catch (error) {
        if (!(error instanceof QemuStreamError)) throw error
        if (isLoad) {
          const ret = errnoOf(error.code, error.rule)
          this.#trace?.('vmstate_load_field_error', field.name, ret)
        }
        throw within(error, vmsd, field)
      }
    }
  }

  #exists(field: VMStateField, version: number, scope: FieldScope | undefined): boolean {
    if (field.field_exists === undefined) return (field.version_id ?? 0) <= version
    const device = this.#from.device ?? this.#to.device ?? scope?.values ?? {}
    return field.field_exists(device, version)
  }

  #field(
    vmsd: VMStateDescription,
    field: VMStateField,
    scope: FieldScope | undefined,
    isLoad: boolean,
  ): void {
    const { count } = field
    const elements = count === undefined ? 1 : (scope?.count(field, this.#from.offset) ?? 0)
    if (this.#trace !== undefined) {
      this.#trace('vmstate_n_elems', field.name, elements)
      if (!isLoad) this.#trace('vmstate_save_state_loop', vmsd.name, field.name, elements)
    }
    if (count === undefined) {
      this.#element(field, scope, undefined)
      return
    }
    this.#from.beginArray(field, elements)
    this.#to.beginArray(field, elements)
    const start = this.#from.offset
    for (let i = 0; i < elements; i++) {
      // Elements that take no bytes are not bounded by the stream.
      if (i === 65536 && isLoad && this.#from.offset === start) {
        this.#fail('too-long', field.name, `${elements} elements of no bytes`)
      }
      this.#element(field.elements === undefined ? field : elementField(field, i), scope, i)
    }
    this.#to.endArray(field)
    this.#from.endArray(field)
  }

  #element(field: VMStateField, scope: FieldScope | undefined, index: number | undefined): void {
    const from = this.#from
    const to = this.#to
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
        scope?.note(field.name, value)
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
        if (!from.nullPointer(field, true))
          this.#fail('bad-value', field.name, 'not a null pointer')
        to.nullPointer(field)
        break
      case 'struct':
        this.#inner(field)
        break
      default:
        this.#list(field, type.kind === 'tree')
    }
  }

  #inner(field: VMStateField): void {
    const vmsd = this.#vmsdOf(field)
    this.struct(vmsd, field.struct_version_id ?? vmsd.version_id, field)
  }

  #vmsdOf(field: VMStateField): VMStateDescription {
    if (field.vmsd !== undefined) return field.vmsd
    return this.#fail('bad-description', field.name, `a ${field.type} without a description`)
  }

  #list(field: VMStateField, isTree: boolean): void {
    const from = this.#from
    const to = this.#to
    const isLoad = from.device === undefined
    const count = from.beginList(field)
    to.beginList(field, count)
    if (this.#trace) traceListBegin(this.#trace, field, isLoad, count ?? 0)
    let seen = 0
    while (from.nextElement(field)) {
      if (isTree && seen === count) {
        this.#fail('bad-value', field.name, `inconsistency: more than ${count} elements`)
      }
      to.nextElement(field)
      const element = field.elements === undefined ? field : elementField(field, seen)
      if (isTree) this.#key(element)
      this.#inner(isTree ? { ...element, name: 'value', type: 'struct' } : element)
      seen++
    }
    if (isTree && count !== undefined && seen < count) {
      this.#fail('bad-value', field.name, `inconsistency: ${seen} elements of ${count}`)
    }
    to.endList(field)
    from.endList(field)
    if (this.#trace) traceListEnd(this.#trace, field, isLoad)
  }

  #key(field: VMStateField): void {
    const { key_vmsd } = field
    if (key_vmsd !== undefined) {
      this.struct(key_vmsd, key_vmsd.version_id, { name: 'key', type: 'struct', vmsd: key_vmsd })
      return
    }
    const type = vmstateType('uint64') as IntegerType
    this.#to.int64(KEY, type, this.#from.int64(KEY, type))
  }

  #size(field: VMStateField, scope: FieldScope | undefined): number {
    const { size } = field
    if (typeof size === 'number' && field.multiply === undefined) return size
    if (scope !== undefined) return scope.size(field, this.#from.offset)
    return this.#fail('bad-description', field.name, `a ${field.type} without a size`)
  }

  #bits(field: VMStateField, scope: FieldScope | undefined): number {
    if (typeof field.bits === 'number') return field.bits
    if (field.bits === undefined) return 8 * this.#size(field, scope)
    if (scope !== undefined) return scope.bits(field, this.#from.offset)
    return this.#fail('bad-description', field.name, 'a bitmap without a length')
  }

  /** Where the receiver has an array of pointers, it decides which of them are null. */
  #expectsNull(field: VMStateField, index: number | undefined): boolean | undefined {
    if (this.#to.device === undefined || this.#from.device !== undefined) return undefined
    const there = this.#to.local?.(field.name)
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
    if (this.#from.device !== undefined) return
    const there = this.#to.local?.(field.name)
    const local: unknown = Array.isArray(there) && index !== undefined ? there[index] : there
    const known = typeof local === 'number' || typeof local === 'bigint' ? local : field.expected
    if (known === undefined) return
    if (type.check === 'less-or-equal') {
      if (value >= 0 && value <= known) return
      const rule = `Invalid value ${value} expecting positive value <= ${known}`
      this.#fail('bad-value', field.name, rule)
    }
    if (BigInt(value) === BigInt(known)) return
    const hint = field.err_hint === undefined ? '' : `: ${field.err_hint}`
    const [here, came] = [known, value].map((one) => hexOf(one, type.bytes))
    this.#fail('bad-value', field.name, `${here} != ${came}${hint}`)
  }

  #subsections(vmsd: VMStateDescription, scope: FieldScope | undefined): void {
    const isLoad = this.#from.device === undefined
    this.#trace?.(isLoad ? 'vmstate_subsection_load' : 'vmstate_subsection_save_top', vmsd.name)
    for (;;) {
      const name = this.#from.peekSubsection(vmsd)
      if (name === undefined) break
      const refusal = prefixRefusal(vmsd.name, name)
      if (refusal !== undefined) {
        this.#trace?.('vmstate_subsection_load_bad', vmsd.name, ...refusal)
        return
      }
      const sub = vmsd.subsections?.find((one) => one.name === name)
      if (sub === undefined) {
        this.#trace?.('vmstate_subsection_load_bad', vmsd.name, name, '(lookup)')
        this.#fail('bad-value', vmsd.name, `no subsection ${name} is known here`)
      }
      if (!isLoad) this.#trace?.('vmstate_subsection_save_loop', vmsd.name, name)
      this.#subsection(vmsd, sub, scope, isLoad)
    }
    if (isLoad) this.#trace?.('vmstate_subsection_load_good', vmsd.name)
  }

  #subsection(
    parent: VMStateDescription,
    vmsd: VMStateDescription,
    scope: FieldScope | undefined,
    isLoad: boolean,
  ): void {
    if (++this.#depth > DEPTH_MAX) {
      this.#fail('too-long', vmsd.name, `subsections within each other, more than ${DEPTH_MAX}`)
    }
    try {
      const version = this.#from.beginSubsection(vmsd)
      this.#to.beginSubsection(vmsd, version)
      this.#body(vmsd, version, scope)
      this.#to.endSubsection(vmsd)
      this.#from.endSubsection(vmsd)
    } catch (error) {
      if (isLoad && error instanceof QemuStreamError) {
        this.#trace?.('vmstate_subsection_load_bad', parent.name, vmsd.name, '(child)')
      }
      throw error
    }
    this.#depth--
  }

  #fail(code: QemuStreamErrorCode, item: string, rule: string): never {
    throw new QemuStreamError(code, this.#from.offset, item, rule)
  }
}

/** Why a subsection is not this description's but an outer one's: the rule of vmstate_subsection_load. */
function prefixRefusal(parent: string, name: string): [string, string] | undefined {
  if (name.length <= parent.length) return ['(short)', '']
  return name.startsWith(parent) ? undefined : [name, '(prefix)']
}

/** As QEMU prints it: without leading zeros, a negative one in two's complement. */
function hexOf(value: number | bigint, bytes: number): string {
  return BigInt.asUintN(8 * bytes, BigInt(value)).toString(16)
}

/** The same error with the path to it: `outer/field: inner/field`. */
function within(
  error: QemuStreamError,
  vmsd: VMStateDescription,
  field: VMStateField,
): QemuStreamError {
  const place = `${vmsd.name}:${field.name}`
  const item = error.item === field.name || error.item === '' ? place : `${place} > ${error.item}`
  return new QemuStreamError(error.code, error.offset, item, error.rule)
}
