// What is inside of a field of type `virtio`, value by value, by the layout that was found for it. The lists of
// all queues that a device could have are a thousand rows of zeros: of queues that it has not, only what is not
// zero is said.

import { BinaryInputVisitor } from './binary-visitor.ts'
import type { InnerValue } from './inner-value.ts'
import { PCI_READERS } from './pci-fields.ts'
import { QemuFileReader } from '../file/qemu-file.ts'
import { transfer } from './transfer.ts'
import { virtioLayout } from './virtio-layout.ts'
import type { OutputVisitor } from './visitor.ts'
import type { IntegerType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

export function virtioValues(bytes: Uint8Array): InnerValue[] {
  const layout = virtioLayout(bytes)
  if (layout === undefined) return []
  const from = new BinaryInputVisitor(QemuFileReader.over(bytes))
  const list = new InnerList(from, layout.queues)
  transfer(layout.vmsd, from, list)
  return list.values
}

interface Level {
  readonly prefix: string
  /** Of the next element, or -1 outside of arrays. */
  index: number
  /** Whether zeros are left out. */
  readonly isUnused: boolean
}

class InnerList implements OutputVisitor {
  readonly values: InnerValue[] = []
  readonly #position: { readonly offset: number }
  readonly #queues: number
  readonly #outer: Level[] = []
  #level: Level = { prefix: '', index: -1, isUnused: false }
  #last = 0

  constructor(position: { readonly offset: number }, queues: number) {
    this.#position = position
    this.#queues = queues
  }

  beginStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field === undefined) return
    const { index, isUnused } = this.#level
    this.#in(`${this.#nameOf(field)}.`, -1, isUnused || index >= this.#queues)
  }

  endStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field !== undefined) this.#out()
  }

  beginArray(field: VMStateField): void {
    this.#in(this.#nameOf(field), 0, this.#level.isUnused)
  }

  endArray(): void {
    this.#out()
  }

  beginSubsection(vmsd: VMStateDescription): void {
    this.#last = this.#position.offset
    this.#in(`${this.#level.prefix}${vmsd.name}:`, -1, false)
  }

  endSubsection(): void {
    this.#out()
  }

  bool(field: VMStateField, value: boolean): void {
    this.#value(field, value, !value)
  }

  int(field: VMStateField, _type: IntegerType, value: number): void {
    this.#value(field, value, value === 0)
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    this.#value(field, value, value === 0n)
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const start = this.#last
    const read = PCI_READERS[field.type]
    if (read === undefined) {
      this.#value(field, value.slice(), field.type === 'unused_buffer' || value.length === 0)
      return
    }
    const name = this.#nameOf(field)
    for (const inner of read(value)) {
      this.values.push({ ...inner, name: `${name} ${inner.name}`, at: start + inner.at })
    }
    this.#last = this.#position.offset
  }

  /** Nothing of virtio has one of these. */
  bitmap(): void {}
  text(): void {}
  nullPointer(): void {}
  beginList(): void {}
  nextElement(): void {}
  endList(): void {}

  #in(prefix: string, index: number, isUnused: boolean): void {
    this.#outer.push(this.#level)
    this.#level = { prefix, index, isUnused }
  }

  #out(): void {
    this.#level = this.#outer.pop() ?? this.#level
    this.#last = this.#position.offset
  }

  #nameOf({ name }: VMStateField): string {
    const { prefix, index } = this.#level
    if (index < 0) return prefix + name
    this.#level.index++
    return `${prefix}[${index}]`
  }

  #value(field: VMStateField, value: InnerValue['value'], isZero: boolean): void {
    const at = this.#last
    this.#last = this.#position.offset
    const name = this.#nameOf(field)
    const isLeftOut = isZero && (this.#level.isUnused || typeof value === 'object')
    if (!isLeftOut) this.values.push({ name, at, size: this.#last - at, value })
  }
}
