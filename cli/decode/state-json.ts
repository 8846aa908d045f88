// `--state` as JSON: each value with its name, type, offset in the stream and size. Numbers of up to 32 bits are
// numbers, those of 64 bits hexadecimal texts, since JSON's numbers are not exact there; bytes are pairs of digits.
// It is written as it is walked: building a tree first would take longer than all the rest.

import type { OutputVisitor } from '../../shared/formats/qemu/visitor.ts'
import { innerValues } from '../../shared/formats/qemu/opaque-fields.ts'
import { vmstateType, type IntegerType } from '../../shared/formats/qemu/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../shared/formats/qemu/vmstate.ts'
import { bytesText, hexOf, quoted } from './value-text.ts'

const BYTES_OF_TREE_COUNT = 4

/** What is open: `fields` of a struct, `values` of an array, `elements` of a list. */
type Level = 'fields' | 'values' | 'elements'

export class StateJson implements OutputVisitor {
  readonly #position: { readonly offset: number }
  #text = ''
  #last: number
  readonly #levels: Level[] = []
  readonly #starts: number[] = []
  #level: Level = 'fields'
  #isFirst = true

  constructor(position: { readonly offset: number }) {
    this.#position = position
    this.#last = position.offset
  }

  /** A list of fields and subsections, in brackets. */
  get written(): string {
    return `[${this.#text}]`
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    if (field === undefined) return
    this.#begin(field.name, field.type, `,"vmsd":${quoted(vmsd.name)},"version":${vmsd.version_id}`)
    this.#open('fields', 'fields')
  }

  endStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field !== undefined) this.#close()
  }

  beginArray(field: VMStateField): void {
    this.#begin(field.name, field.type, '')
    this.#open('values', 'values')
  }

  endArray(): void {
    this.#close()
  }

  beginList(field: VMStateField): void {
    const isTree = vmstateType(field.type).kind === 'tree'
    this.#last = this.#position.offset - (isTree ? BYTES_OF_TREE_COUNT : 0)
    this.#begin(field.name, field.type, '')
    this.#open('elements', 'elements')
  }

  nextElement(): void {
    this.#last = this.#position.offset
  }

  endList(): void {
    this.#close()
  }

  nullPointer(field: VMStateField): void {
    this.#value(field, 'null')
  }

  bool(field: VMStateField, value: boolean): void {
    this.#value(field, value ? 'true' : 'false')
  }

  int(field: VMStateField, _type: IntegerType, value: number): void {
    this.#value(field, String(value))
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    this.#value(field, `"${hexOf(value, 8)}"`)
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const inner = innerValues(field.type, value).map((one) => {
      return `{"name":${quoted(one.name)},"at":${one.at},"size":${one.size},"value":${one.value}}`
    })
    const more = inner.length === 0 ? '' : `,"inner":[${inner.join(',')}]`
    this.#value(field, `"${bytesText(value, '')}"`, more)
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.bytes(field, value)
  }

  text(field: VMStateField, value: string): void {
    this.#value(field, quoted(value))
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    this.#begin(vmsd.name, 'subsection', `,"version":${version_id}`)
    this.#last = this.#position.offset
    this.#open('fields', 'fields')
  }

  endSubsection(): void {
    this.#close()
  }

  #begin(name: string, type: string, more: string): void {
    const text = `{"name":${quoted(name)},"type":${quoted(type)},"offset":${this.#last}${more}`
    this.#text += this.#isFirst ? text : `,${text}`
    this.#isFirst = false
  }

  #open(level: Level, key: string): void {
    this.#levels.push(this.#level)
    this.#starts.push(this.#last)
    this.#level = level
    this.#text += `,"${key}":[`
    this.#isFirst = true
  }

  #close(): void {
    this.#level = this.#levels.pop() ?? 'fields'
    const start = this.#starts.pop() ?? 0
    this.#last = this.#position.offset
    this.#text += `],"size":${this.#last - start}}`
    this.#isFirst = false
  }

  #value(field: VMStateField, value: string, more = ''): void {
    const start = this.#last
    this.#last = this.#position.offset
    if (this.#level === 'values' && more === '') {
      this.#text += this.#isFirst ? value : `,${value}`
      this.#isFirst = false
      return
    }
    const separator = this.#isFirst ? '' : ','
    this.#isFirst = false
    this.#text +=
      `${separator}{"name":${quoted(field.name)},"type":${quoted(field.type)},` +
      `"offset":${start},"size":${this.#last - start},"value":${value}${more}}`
  }
}
