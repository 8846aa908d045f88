// The fields of a device as a flat list, each with its path, its place in the stream and its value: for what
// compares two states, and for what looks up an offset.

import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import type { IntegerType } from '../../formats/qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesText, hexOf, innerText, quoted } from './value-text.ts'

const BYTES_SHOWN = 32

export interface FieldRow {
  /** `outer.inner`, `array[3]`, `field/subsection.inner`. */
  readonly path: string
  readonly type: string
  readonly offset: number
  readonly size: number
  readonly value: string
  /** Of bytes: all of them. */
  readonly bytes?: Uint8Array
}

export class FieldList implements OutputVisitor {
  readonly rows: FieldRow[] = []
  readonly #position: { readonly offset: number }
  #last: number
  #prefix = ''
  readonly #prefixes: string[] = []
  #index = -1
  readonly #indices: number[] = []

  constructor(position: { readonly offset: number }) {
    this.#position = position
    this.#last = position.offset
  }

  beginStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field !== undefined) this.#in(`${this.#pathOf(field)}.`, -1)
  }

  endStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field !== undefined) this.#out()
  }

  beginArray(field: VMStateField): void {
    this.#in(this.#pathOf(field), 0)
  }

  endArray(): void {
    this.#out()
  }

  beginList(field: VMStateField): void {
    this.#in(this.#pathOf(field), 0)
    this.#last = this.#position.offset
  }

  nextElement(): void {
    this.#last = this.#position.offset
  }

  endList(): void {
    this.#out()
  }

  nullPointer(field: VMStateField): void {
    this.#row(field, 'null')
  }

  bool(field: VMStateField, value: boolean): void {
    this.#row(field, String(value))
  }

  int(field: VMStateField, type: IntegerType, value: number): void {
    this.#row(field, hexOf(value, type.bytes))
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    this.#row(field, hexOf(value, 8))
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const shown = bytesText(value.subarray(0, BYTES_SHOWN), ' ')
    const text = value.length > BYTES_SHOWN ? `${shown} ...` : shown
    this.#row(field, text, value.slice())
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.bytes(field, value)
  }

  text(field: VMStateField, value: string): void {
    this.#row(field, quoted(value))
  }

  beginSubsection(vmsd: VMStateDescription): void {
    this.#last = this.#position.offset
    this.#in(`${this.#prefix}${vmsd.name}:`, -1)
  }

  endSubsection(): void {
    this.#out()
  }

  #in(prefix: string, index: number): void {
    this.#prefixes.push(this.#prefix)
    this.#indices.push(this.#index)
    this.#prefix = prefix
    this.#index = index
  }

  #out(): void {
    this.#prefix = this.#prefixes.pop() ?? ''
    this.#index = this.#indices.pop() ?? -1
    this.#last = this.#position.offset
  }

  #pathOf(field: VMStateField): string {
    if (this.#index < 0) return this.#prefix + field.name
    if (field.name === 'key') return `${this.#prefix}[${this.#index}].key`
    return `${this.#prefix}[${this.#index++}]`
  }

  #row(field: VMStateField, value: string, bytes?: Uint8Array): void {
    const offset = this.#last
    this.#last = this.#position.offset
    const row = { path: this.#pathOf(field), type: field.type, offset, size: this.#last - offset }
    this.rows.push(bytes === undefined ? { ...row, value } : { ...row, value, bytes })
  }
}

/** A part of a row: the value within it that QEMU's description does not show, at this offset. */
export function innerAt({ type, offset, bytes }: FieldRow, at: number): string | undefined {
  const inner = bytes === undefined ? [] : innerValues(type, bytes)
  const found = inner.find((one) => at >= offset + one.at && at < offset + one.at + one.size)
  return found === undefined ? undefined : `${found.name} = ${innerText(found)}`
}
