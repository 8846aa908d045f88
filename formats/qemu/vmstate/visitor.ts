// The third of QEMU's layers: how a value lies on one medium. An InputVisitor reads from its medium, an
// OutputVisitor writes to it, value by value, in the order of a description. Neither knows of the other,
// and neither walks: `transfer` does. The calls come properly nested. Each value is announced with its field;
// within an array or a list the field is that of every element.

import type { IntegerType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateDevice, VMStateField } from './vmstate.ts'

export interface InputVisitor {
  /** Of the next byte in the stream, for errors; 0 if the medium has no bytes. */
  readonly offset: number
  /** The struct being read, if the medium is a device in memory: its hooks are called. */
  readonly device?: VMStateDevice | undefined
  /** A member of that device, though it be in no field: counts and sizes of what is there. */
  local?(name: string): unknown
  /** Without a field: the whole device. */
  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void
  endStruct(vmsd: VMStateDescription, field?: VMStateField): void
  beginArray(field: VMStateField, count: number): void
  endArray(field: VMStateField): void
  /** A qtailq, qlist or gtree. Returns how many elements there are, which must be known of a gtree. */
  beginList(field: VMStateField): number | undefined
  /** Whether one more element follows. Its key, if it has one, comes first. */
  nextElement(field: VMStateField): boolean
  endList(field: VMStateField): void
  /** Whether the element is a null pointer, which is taken then. `expected`: the receiver knows it. */
  nullPointer(field: VMStateField, expected?: boolean): boolean
  bool(field: VMStateField): boolean
  /** All elements of an array of integers at once, as they lie on the wire. Good until the next call. */
  integers?(field: VMStateField, type: IntegerType, count: number): Uint8Array
  /** Of 8, 16 or 32 bits. */
  int(field: VMStateField, type: IntegerType): number
  int64(field: VMStateField, type: IntegerType): bigint
  /** Good until the next call. */
  bytes(field: VMStateField, size: number): Uint8Array
  /** 8 bytes for each 64 bits begun, as they lie on the wire. Good until the next call. */
  bitmap(field: VMStateField, bits: number): Uint8Array
  /** At most 255 bytes, each a character. */
  text(field: VMStateField): string
  /** The name of the subsection that comes next, whosever it is; nothing is taken. */
  peekSubsection(parent: VMStateDescription): string | undefined
  /** Takes the head of the subsection that was peeked at, and returns its version. */
  beginSubsection(vmsd: VMStateDescription): number
  endSubsection(vmsd: VMStateDescription): void
}

export interface OutputVisitor {
  /** The struct being filled, if the medium is a device in memory: its hooks are called. */
  readonly device?: VMStateDevice | undefined
  local?(name: string): unknown
  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void
  endStruct(vmsd: VMStateDescription, field?: VMStateField): void
  beginArray(field: VMStateField, count: number): void
  endArray(field: VMStateField): void
  beginList(field: VMStateField, count?: number): void
  nextElement(field: VMStateField): void
  /** The list ends: what tells it from one more element is written. */
  endList(field: VMStateField): void
  nullPointer(field: VMStateField): void
  bool(field: VMStateField, value: boolean): void
  /** For an array that the other side gives at once: in place of a call for each element. */
  integers?(field: VMStateField, type: IntegerType, value: Uint8Array): void
  int(field: VMStateField, type: IntegerType, value: number): void
  int64(field: VMStateField, type: IntegerType, value: bigint): void
  /** The bytes are the visitor's only during the call. */
  bytes(field: VMStateField, value: Uint8Array): void
  bitmap(field: VMStateField, bits: number, value: Uint8Array): void
  text(field: VMStateField, value: string): void
  beginSubsection(vmsd: VMStateDescription, version_id: number): void
  endSubsection(vmsd: VMStateDescription): void
}
