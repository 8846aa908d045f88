// Two media that take the same values in one walk: the bytes of a device, and the tree from which its
// description is made. What the walk asks of its output, the first of them answers.

import type { OutputVisitor } from './visitor.ts'
import type { IntegerType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateDevice, VMStateField } from './vmstate.ts'

export class TeeOutputVisitor implements OutputVisitor {
  readonly #first: OutputVisitor
  readonly #both: readonly OutputVisitor[]

  /** `first` has written a value before `second` hears of it. */
  constructor(first: OutputVisitor, second: OutputVisitor) {
    this.#first = first
    this.#both = [first, second]
  }

  get device(): VMStateDevice | undefined {
    return this.#first.device
  }

  local(name: string): unknown {
    return this.#first.local?.(name)
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    for (const one of this.#both) one.beginStruct(vmsd, field)
  }

  endStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    for (const one of this.#both) one.endStruct(vmsd, field)
  }

  beginArray(field: VMStateField, count: number): void {
    for (const one of this.#both) one.beginArray(field, count)
  }

  endArray(field: VMStateField): void {
    for (const one of this.#both) one.endArray(field)
  }

  beginList(field: VMStateField, count?: number): void {
    for (const one of this.#both) one.beginList(field, count)
  }

  nextElement(field: VMStateField): void {
    for (const one of this.#both) one.nextElement(field)
  }

  endList(field: VMStateField): void {
    for (const one of this.#both) one.endList(field)
  }

  nullPointer(field: VMStateField): void {
    for (const one of this.#both) one.nullPointer(field)
  }

  bool(field: VMStateField, value: boolean): void {
    for (const one of this.#both) one.bool(field, value)
  }

  int(field: VMStateField, type: IntegerType, value: number): void {
    for (const one of this.#both) one.int(field, type, value)
  }

  int64(field: VMStateField, type: IntegerType, value: bigint): void {
    for (const one of this.#both) one.int64(field, type, value)
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    for (const one of this.#both) one.bytes(field, value)
  }

  bitmap(field: VMStateField, bits: number, value: Uint8Array): void {
    for (const one of this.#both) one.bitmap(field, bits, value)
  }

  text(field: VMStateField, value: string): void {
    for (const one of this.#both) one.text(field, value)
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    for (const one of this.#both) one.beginSubsection(vmsd, version_id)
  }

  endSubsection(vmsd: VMStateDescription): void {
    for (const one of this.#both) one.endSubsection(vmsd)
  }
}
