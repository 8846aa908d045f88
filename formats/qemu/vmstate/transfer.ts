// The one walk: through a description, once, and each value from the one visitor to the other. What moves
// where is the pair's matter: from bytes into a device is loading, from a device into bytes is saving, from
// bytes into a tree is decoding. The device, wherever it is, has its hooks called. Versions are judged as
// QEMU judges them when it loads, in its own words; nothing is checked of what a device itself gives.

import { FieldScope, usesScope } from './field-scope.ts'
import { FieldTransfer, TransferEnds } from './field-transfer.ts'
import { errnoOf, prefixRefusal, versionRefusal } from './load-rules.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import type { QemuTrace } from './trace-events.ts'
import type { InputVisitor, OutputVisitor } from './visitor.ts'
import type { HookResult, VMStateDescription, VMStateField } from './vmstate.ts'

export interface TransferOptions {
  /** The version in which the state is: that of the description if absent. */
  readonly version_id?: number
  readonly trace?: QemuTrace | undefined
}

/** Deeper than any device: a description that comes with the stream must not use up the stack. */
const DEPTH_MAX = 256

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
  const walk = new StructTransfer(new TransferEnds(from, to, options.trace))
  walk.struct(vmsd, options.version_id ?? vmsd.version_id)
}

class StructTransfer {
  readonly #ends: TransferEnds
  readonly #inner: FieldTransfer
  #depth = 0

  constructor(ends: TransferEnds) {
    this.#ends = ends
    this.#inner = new FieldTransfer(ends, (...of) => this.struct(...of))
  }

  struct(vmsd: VMStateDescription, version: number, field?: VMStateField): void {
    const { from, to } = this.#ends
    this.#enter(vmsd)
    from.beginStruct(vmsd, field)
    to.beginStruct(vmsd, field)
    this.#body(vmsd, version, undefined)
    to.endStruct(vmsd, field)
    from.endStruct(vmsd, field)
    this.#depth--
  }

  #enter({ name }: VMStateDescription): void {
    if (++this.#depth <= DEPTH_MAX) return
    this.#ends.fail('too-long', name, `more than ${DEPTH_MAX} structs within each other`)
  }

  /** Hooks, fields and subsections of a struct or of a subsection, which shares its parent's values. */
  #body(vmsd: VMStateDescription, version: number, outer: FieldScope | undefined): void {
    const { from, to, trace } = this.#ends
    const saved = from.device
    const loaded = to.device
    if (saved === undefined) this.#beginLoad(vmsd, version)
    else this.#beginSave(vmsd, saved)
    if (loaded !== undefined) this.#judge(vmsd, 'pre_load', vmsd.pre_load?.(loaded))
    const scope = outer ?? (usesScope(vmsd) ? new FieldScope(from, to) : undefined)
    for (const field of vmsd.fields) this.#field(vmsd, field, version, scope)
    this.#subsections(vmsd, scope)
    const refusal = loaded === undefined ? undefined : vmsd.post_load?.(loaded, version)
    if (saved !== undefined) this.#judge(vmsd, 'post_save', vmsd.post_save?.(saved))
    else trace?.('vmstate_load_state_end', vmsd.name, 'end', refusal === undefined ? 0 : -22)
    this.#judge(vmsd, 'post_load', refusal)
  }

  #beginLoad(vmsd: VMStateDescription, version: number): void {
    const { trace } = this.#ends
    trace?.('vmstate_load_state', vmsd.name, version)
    const refusal = versionRefusal(vmsd, version)
    if (refusal === undefined) return
    trace?.('vmstate_load_state_end', vmsd.name, refusal.reason, -22)
    this.#ends.fail('bad-version', vmsd.name, refusal.rule)
  }

  #beginSave(vmsd: VMStateDescription, device: object): void {
    const { trace } = this.#ends
    trace?.('vmstate_save_state_top', vmsd.name)
    if (vmsd.pre_save === undefined) return
    const refusal = vmsd.pre_save(device)
    trace?.('vmstate_save_state_pre_save_res', vmsd.name, refusal === undefined ? 0 : -22)
    this.#judge(vmsd, 'pre_save', refusal)
  }

  #judge(vmsd: VMStateDescription, hook: string, refusal: HookResult): void {
    if (refusal === undefined) return
    this.#ends.fail('bad-value', vmsd.name, `${hook} refuses: ${refusal}`)
  }

  #field(
    vmsd: VMStateDescription,
    field: VMStateField,
    version: number,
    scope: FieldScope | undefined,
  ): void {
    const { trace, isLoad } = this.#ends
    if (isLoad) trace?.('vmstate_load_state_field', vmsd.name, field.name)
    try {
      if (this.#exists(field, version, scope)) this.#inner.field(vmsd.name, field, scope)
      else if (field.must_exist) {
        const direction = isLoad ? 'Input' : 'Output state'
        const rule = `${direction} validation failed: ${vmsd.name}/${field.name}`
        this.#ends.fail('bad-value', field.name, rule)
      }
    } catch (error) {
      if (!(error instanceof QemuStreamError)) throw error
      if (isLoad) trace?.('vmstate_load_field_error', field.name, errnoOf(error.code))
      throw placed(error, vmsd, field)
    }
  }

  #exists(field: VMStateField, version: number, scope: FieldScope | undefined): boolean {
    if (field.field_exists === undefined) return (field.version_id ?? 0) <= version
    const device = this.#ends.from.device ?? this.#ends.to.device ?? scope?.values ?? {}
    return field.field_exists(device, version)
  }

  #subsections(vmsd: VMStateDescription, scope: FieldScope | undefined): void {
    const { from, trace, isLoad } = this.#ends
    trace?.(isLoad ? 'vmstate_subsection_load' : 'vmstate_subsection_save_top', vmsd.name)
    for (;;) {
      const name = from.peekSubsection(vmsd)
      if (name === undefined) break
      const refusal = prefixRefusal(vmsd.name, name)
      if (refusal !== undefined && isLoad) {
        trace?.('vmstate_subsection_load_bad', vmsd.name, ...refusal)
        return
      }
      const sub = vmsd.subsections?.find((one) => one.name === name)
      if (sub === undefined) {
        trace?.('vmstate_subsection_load_bad', vmsd.name, name, '(lookup)')
        this.#ends.fail('bad-value', vmsd.name, `no subsection ${name} is known here`)
      }
      if (!isLoad) trace?.('vmstate_subsection_save_loop', vmsd.name, name)
      this.#subsection(vmsd, sub, scope)
    }
    if (isLoad) trace?.('vmstate_subsection_load_good', vmsd.name)
  }

  #subsection(
    parent: VMStateDescription,
    vmsd: VMStateDescription,
    scope: FieldScope | undefined,
  ): void {
    const { from, to, trace, isLoad } = this.#ends
    this.#enter(vmsd)
    try {
      const version = from.beginSubsection(vmsd)
      to.beginSubsection(vmsd, version)
      this.#body(vmsd, version, scope)
      to.endSubsection(vmsd)
      from.endSubsection(vmsd)
    } catch (error) {
      if (isLoad) trace?.('vmstate_subsection_load_bad', parent.name, vmsd.name, '(child)')
      throw error
    }
    this.#depth--
  }
}

/** The same error with the path to it: `outer:field > inner:field`. */
function placed(
  error: QemuStreamError,
  vmsd: VMStateDescription,
  field: VMStateField,
): QemuStreamError {
  const place = `${vmsd.name}:${field.name}`
  const item = error.item === field.name ? place : `${place} > ${error.item}`
  return new QemuStreamError(error.code, error.offset, item, error.rule)
}
