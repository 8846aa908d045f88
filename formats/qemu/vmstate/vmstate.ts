// The second of QEMU's three layers: what a device's state consists of, as data. A description lists the
// fields in the order in which they lie in the stream; nothing in the stream names them. The members have
// QEMU's own names (VMStateDescription, VMStateField), so that a device written in C can be put here line by
// line: `VMSTATE_UINT32_ARRAY(regs, S, 8)` becomes `{ name: 'regs', type: 'uint32', count: 8 }`.

import type { VMStateTypeName } from './vmstate-types.ts'

/** What holds the values of a device in memory: an object with a member for each field. */
export type VMStateDevice = object

/** What went wrong, for people; nothing if all is well. */
export type HookResult = string | undefined | void

/** A field's type: a row of `vmstateTypes`, or the name of an opaque one. */
export type VMStateFieldType = VMStateTypeName | (string & {})

export interface VMStateField<Device extends VMStateDevice = VMStateDevice> {
  readonly name: string
  readonly type: VMStateFieldType
  /** The first version of the description that has the field: 0 if absent. */
  readonly version_id?: number
  /** Decides in place of `version_id`. Where there is no device: an object of the fields moved so far. */
  field_exists?(device: Device, version_id: number): boolean
  /** VMS_MUST_EXIST: the field's absence is an error. */
  readonly must_exist?: boolean
  /** How many elements; absent: one, and no array. A name: the field of the same struct that says it. */
  readonly count?: number | string
  /** VMS_MULTIPLY_ELEMENTS: what `count` says is multiplied by it. */
  readonly multiply_elements?: number
  /** VMS_ARRAY_OF_POINTER: elements may be null. */
  readonly pointers?: boolean
  /** Bytes of one element, for `buffer` and opaque types. A name: the field that says it (VMS_VBUFFER). */
  readonly size?: number | string
  /** VMS_MULTIPLY: what `size` says is multiplied by it. */
  readonly multiply?: number
  /** Of a bitmap: its length in bits, or the field that says it. Else 8 times `size`. */
  readonly bits?: number | string
  /** Of struct, vstruct, tmp; of the elements of qtailq and qlist; of the values of gtree. */
  readonly vmsd?: VMStateDescription
  /** Of a vstruct: the version in which it is written and read. */
  readonly struct_version_id?: number
  /** Of a gtree's keys; absent: the key is a number of 64 bits. */
  readonly key_vmsd?: VMStateDescription
  /** Elements that differ from each other, each with its own row: only the JSON description knows that. */
  readonly elements?: readonly VMStateField[]
  /** What its type would tell is not known: it is bytes of `size`. */
  readonly opaque?: boolean
  /** Of `... equal` and `int32 le`: the receiver's value, if its device does not say it. */
  readonly expected?: number | bigint
  /** What an error of `... equal` adds. */
  readonly err_hint?: string
}

export interface VMStateDescription<Device extends VMStateDevice = VMStateDevice> {
  readonly name: string
  readonly version_id: number
  /** The oldest version that can still be read: 0 if absent. */
  readonly minimum_version_id?: number
  readonly fields: readonly VMStateField<Device>[]
  readonly subsections?: readonly VMStateDescription<Device>[]
  /** Of a subsection: whether it is sent. Absent: always. */
  needed?(device: Device): boolean
  /** Before a device is filled. A text refuses, as with the other hooks. */
  pre_load?(device: Device): HookResult
  post_load?(device: Device, version_id: number): HookResult
  pre_save?(device: Device): HookResult
  post_save?(device: Device): HookResult
}

/** The most elements that one array may have, and the most bytes of one buffer: above it is damage. */
export const VMSTATE_ELEMENTS_MAX = 1 << 24
export const VMSTATE_BYTES_MAX = 1 << 28
