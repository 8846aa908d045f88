// `--state` as text: a line for each value with the offset at which it lies in the stream, its name and type;
// arrays of numbers take as many lines as they need.

import type { OutputVisitor } from '../../shared/formats/qemu/visitor.ts'
import { innerValues } from '../../shared/formats/qemu/opaque-fields.ts'
import { vmstateType, type IntegerType } from '../../shared/formats/qemu/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../shared/formats/qemu/vmstate.ts'
import { bytesText, hexOf, quoted } from './value-text.ts'

const OFFSET_DIGITS = 9
const BYTES_A_LINE = 32
const ARRAY_LINE_CHARACTERS = 72
const BYTES_OF_TREE_COUNT = 4

export class StateText implements OutputVisitor {
  readonly #position: { readonly offset: number }
  #text = ''
  #indent = '  '
  /** Where the value to come begins. */
  #last: number
  /** Of the arrays and lists around: the number of the next element. */
  readonly #indices: number[] = []
  #index = -1
  /** Values of an array of numbers, gathered for a line. */
  #row = ''

  constructor(position: { readonly offset: number }) {
    this.#position = position
    this.#last = position.offset
  }

  get written(): string {
    return this.#text
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    if (field === undefined) return
    const what = field.type === 'struct' ? vmsd.name : `${field.type} ${vmsd.name}`
    this.#line(`${this.#nameOf(field)}: ${what} v${vmsd.version_id}`)
    this.#in(-1)
  }

  endStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field !== undefined) this.#out()
  }

  beginArray(field: VMStateField, count: number): void {
    this.#line(`${this.#nameOf(field)}[${count}]: ${field.type}`)
    this.#in(0)
  }

  endArray(): void {
    this.#flushRow()
    this.#out()
  }

  beginList(field: VMStateField, count?: number): void {
    const isTree = vmstateType(field.type).kind === 'tree'
    this.#last = this.#position.offset - (isTree ? BYTES_OF_TREE_COUNT : 0)
    this.#line(`${this.#nameOf(field)}: ${field.type}${isTree ? ` of ${count}` : ''}`)
    this.#in(0)
  }

  nextElement(): void {
    this.#last = this.#position.offset
  }

  endList(): void {
    this.#out()
  }

  nullPointer(field: VMStateField): void {
    this.#value(field, 'null', field.type)
  }

  bool(field: VMStateField, value: boolean): void {
    this.#value(field, String(value), 'bool')
  }

  int(field: VMStateField, type: IntegerType, value: number): void {
    const hex = hexOf(value, type.bytes)
    if (this.#index >= 0) return this.#addToRow(hex, type.bytes)
    this.#value(field, value > 9 || value < 0 ? `${hex} (${value})` : hex, field.type)
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    const hex = hexOf(value, 8)
    if (this.#index >= 0 && field.name !== 'key') return this.#addToRow(hex, 8)
    const shown = field.type === 'timer' && value < 0n ? `${hex} (off)` : `${hex} (${value})`
    this.#value(field, value < 10n && value >= 0n ? hex : shown, field.type)
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const first = value.subarray(0, BYTES_A_LINE)
    const start = this.#last
    this.#value(field, bytesText(first, ' '), `${field.type}, ${value.length} bytes`)
    for (let at = BYTES_A_LINE; at < value.length; at += BYTES_A_LINE) {
      const line = value.subarray(at, at + BYTES_A_LINE)
      if (line.some((byte) => byte !== 0)) {
        this.#lineAt(start + at, `  ${bytesText(line, ' ')}`)
      } else if (at + BYTES_A_LINE >= value.length || value[at - 1] !== 0) {
        this.#lineAt(start + at, '  00 ...')
      }
    }
    for (const inner of innerValues(field.type, value)) {
      this.#lineAt(start + inner.at, `  ${inner.name} = ${hexOf(inner.value, inner.size)}`)
    }
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.bytes(field, value)
  }

  text(field: VMStateField, value: string): void {
    this.#value(field, quoted(value), field.type)
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    this.#line(`subsection ${vmsd.name} v${version_id}`)
    this.#last = this.#position.offset
    this.#in(-1)
  }

  endSubsection(): void {
    this.#out()
  }

  #in(index: number): void {
    this.#indices.push(this.#index)
    this.#index = index
    this.#indent += '  '
  }

  #out(): void {
    this.#index = this.#indices.pop() ?? -1
    this.#indent = this.#indent.slice(2)
    this.#last = this.#position.offset
  }

  /** Within an array or a list the elements are numbered. */
  #nameOf(field: VMStateField): string {
    return this.#index < 0 || field.name === 'key' ? field.name : `[${this.#index++}]`
  }

  #value(field: VMStateField, value: string, type: string): void {
    this.#flushRow()
    this.#line(`${this.#nameOf(field)} = ${value}  (${type})`)
    this.#last = this.#position.offset
  }

  #addToRow(hex: string, bytes: number): void {
    this.#index++
    if (this.#row === '') this.#last = this.#position.offset - bytes
    this.#row += this.#row === '' ? hex : ` ${hex}`
    if (this.#row.length >= ARRAY_LINE_CHARACTERS) this.#flushRow()
  }

  #flushRow(): void {
    if (this.#row === '') return
    this.#line(this.#row)
    this.#row = ''
    this.#last = this.#position.offset
  }

  #line(text: string): void {
    this.#lineAt(this.#last, text)
  }

  #lineAt(offset: number, text: string): void {
    this.#text += `${offset.toString(16).padStart(OFFSET_DIGITS, '0')}${this.#indent}${text}\n`
  }
}
