// The state of a device as QEMU 7.2 writes it into a migration stream: values in the order of their fields,
// big-endian, without tags or padding. An element that is a null pointer is the byte '0'; each element of a list
// has a 1 ahead of it and the list a 0 behind it; a subsection begins with the byte 5, its name and version.

import type { QemuFileReader, QemuFileWriter } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import { ITEM_SUBSECTION } from '../file/stream-items.ts'
import type { InputVisitor, OutputVisitor } from './visitor.ts'
import { type IntegerType, NULL_POINTER_BYTE, vmstateType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

/** Of a buffer whose length need not be doubted. */
const TRUSTED_BYTES = 64 * 1024

/** Bytes of a bitmap: whole words of 64 bits. */
export function bitmapBytes(bits: number): number {
  return 8 * Math.ceil(bits / 64)
}

export class BinaryInputVisitor implements InputVisitor {
  readonly #file: QemuFileReader

  constructor(file: QemuFileReader) {
    this.#file = file
  }

  get offset(): number {
    return this.#file.offset
  }

  beginStruct(vmsd: VMStateDescription): void {
    this.#file.item = vmsd.name
  }

  endStruct(): void {}

  beginArray(): void {}

  endArray(): void {}

  beginList(field: VMStateField): number | undefined {
    this.#file.item = field.name
    return vmstateType(field.type).kind === 'tree' ? this.#file.u32() : undefined
  }

  nextElement(): boolean {
    return this.#file.u8() !== 0
  }

  endList(): void {}

  nullPointer(field: VMStateField, expected?: boolean): boolean {
    this.#file.item = field.name
    if (expected === false) return false
    const { offset } = this
    const isNull = (expected ? this.#file.u8() : this.#file.peek()) === NULL_POINTER_BYTE
    if (isNull && !expected) this.#file.skip(1)
    if (!isNull && expected) {
      const rule = 'the byte 0x30 was due, for a pointer that is null here'
      throw new QemuStreamError('bad-value', offset, field.name, rule)
    }
    return isNull
  }

  bool(field: VMStateField): boolean {
    this.#file.item = field.name
    return this.#file.u8() !== 0
  }

  integers(field: VMStateField, type: IntegerType, count: number): Uint8Array {
    this.#file.item = field.name
    return this.#file.take(count * type.bytes)
  }

  int(field: VMStateField, type: IntegerType): number {
    const file = this.#file
    file.item = field.name
    if (type.bytes === 4) return type.signed ? file.u32() | 0 : file.u32()
    if (type.bytes === 2) return type.signed ? (file.u16() << 16) >> 16 : file.u16()
    return type.signed ? (file.u8() << 24) >> 24 : file.u8()
  }

  int64(field: VMStateField, type: IntegerType): bigint {
    this.#file.item = field.name
    const value = this.#file.u64()
    return type.signed ? BigInt.asIntN(64, value) : value
  }

  bytes(field: VMStateField, size: number): Uint8Array {
    const file = this.#file
    file.item = field.name
    // No memory for what a damaged length promises, only for what has come.
    for (let step = TRUSTED_BYTES; step < size; step *= 2) if (!file.has(step)) file.take(step)
    return file.take(size)
  }

  bitmap(field: VMStateField, bits: number): Uint8Array {
    return this.bytes(field, bitmapBytes(bits))
  }

  text(field: VMStateField): string {
    this.#file.item = field.name
    return this.#file.str8()
  }

  peekSubsection(): string | undefined {
    const file = this.#file
    if (file.peek() !== ITEM_SUBSECTION) return undefined
    const length = file.peek(1)
    if (length < 0 || !file.has(2 + length)) return undefined
    let name = ''
    for (let i = 0; i < length; i++) name += String.fromCharCode(file.peek(2 + i))
    return name
  }

  beginSubsection(vmsd: VMStateDescription): number {
    this.#file.item = vmsd.name
    this.#file.u8()
    this.#file.str8()
    return this.#file.u32()
  }

  endSubsection(): void {}
}

export class BinaryOutputVisitor implements OutputVisitor {
  readonly #file: QemuFileWriter

  constructor(file: QemuFileWriter) {
    this.#file = file
  }

  get offset(): number {
    return this.#file.offset
  }

  beginStruct(): void {}

  endStruct(): void {}

  beginArray(): void {}

  endArray(): void {}

  beginList(field: VMStateField, count?: number): void {
    if (vmstateType(field.type).kind === 'tree') this.#file.u32(count ?? 0)
  }

  nextElement(): void {
    this.#file.u8(1)
  }

  endList(): void {
    this.#file.u8(0)
  }

  nullPointer(): void {
    this.#file.u8(NULL_POINTER_BYTE)
  }

  bool(_field: VMStateField, value: boolean): void {
    this.#file.u8(value ? 1 : 0)
  }

  int(_field: VMStateField, type: IntegerType, value: number): void {
    if (type.bytes === 4) this.#file.u32(value)
    else if (type.bytes === 2) this.#file.u16(value)
    else this.#file.u8(value)
  }

  int64(_field: VMStateField, _type: IntegerType, value: bigint): void {
    this.#file.u64(value)
  }

  bytes(_field: VMStateField, value: Uint8Array): void {
    this.#file.bytes(value)
  }

  bitmap(_field: VMStateField, _bits: number, value: Uint8Array): void {
    this.#file.bytes(value)
  }

  text(_field: VMStateField, value: string): void {
    this.#file.str8(value)
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    this.#file.u8(ITEM_SUBSECTION)
    this.#file.str8(vmsd.name)
    this.#file.u32(version_id)
  }

  endSubsection(): void {}
}
