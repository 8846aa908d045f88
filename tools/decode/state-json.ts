// `--state` as JSON: each value with its name, type, offset in the stream and size. Numbers of up to 32 bits are
// numbers, those of 64 bits hexadecimal texts, since JSON's numbers are not exact there; bytes are pairs of digits.
// It is written as it is walked: building a tree first would take longer than all the rest.

import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import { vmstateType, type IntegerType } from '../../formats/qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'
import type { TextOutput } from './text-output.ts'
import { innerJson, quoted } from './value-text.ts'

const BYTES_OF_TREE_COUNT = 4

/** What is open: `fields` of a struct, `values` of an array, `elements` of a list. */
type Level = 'fields' | 'values' | 'elements'

export class StateJson implements OutputVisitor {
  readonly #position: { readonly offset: number }
  readonly #out: TextOutput
  #last: number
  readonly #levels: Level[] = []
  readonly #starts: number[] = []
  #level: Level = 'fields'
  #isFirst = true

  /** Writes a list of fields and subsections, without brackets. */
  constructor(position: { readonly offset: number }, out: TextOutput) {
    this.#position = position
    this.#out = out
    this.#last = position.offset
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

  integers(_field: VMStateField, type: IntegerType, value: Uint8Array): void {
    const { bytes, signed } = type
    const out = this.#out
    const view = new DataView(value.buffer, value.byteOffset, value.length)
    for (let at = 0; at < value.length; at += bytes) {
      if (at > 0) out.add(',')
      if (bytes === 8) {
        out.add('"')
        out.hexAt(value, at, bytes)
        out.add('"')
      } else if (bytes === 4) out.decimal(signed ? view.getInt32(at) : view.getUint32(at))
      else if (bytes === 2) out.decimal(signed ? view.getInt16(at) : view.getUint16(at))
      else out.decimal(signed ? view.getInt8(at) : view.getUint8(at))
    }
    this.#isFirst = value.length === 0
  }

  int(field: VMStateField, _type: IntegerType, value: number): void {
    this.#beginValue(field)
    this.#out.decimal(value)
    this.#endValue()
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    this.#beginValue(field)
    this.#out.add('"')
    this.#out.hex64(value)
    this.#out.add('"')
    this.#endValue()
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const out = this.#out
    this.#beginValue(field)
    out.add('"')
    out.pairs(value, false)
    out.add('"')
    const inner = this.#level === 'values' ? [] : innerValues(field.type, value)
    for (const [index, one] of inner.entries()) {
      out.add(index === 0 ? ',"inner":[{"name":' : ',{"name":')
      out.quoted(one.name)
      out.add(`,"at":${one.at},"size":${one.size},"value":${innerJson(one)}}`)
    }
    if (inner.length > 0) out.add(']')
    this.#endValue()
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
    const out = this.#out
    out.add(this.#isFirst ? '{"name":' : ',{"name":')
    out.quoted(name)
    out.add(',"type":')
    out.quoted(type)
    out.add(`,"offset":${this.#last}${more}`)
    this.#isFirst = false
  }

  #open(level: Level, key: string): void {
    this.#levels.push(this.#level)
    this.#starts.push(this.#last)
    this.#level = level
    this.#out.add(`,"${key}":[`)
    this.#isFirst = true
  }

  #close(): void {
    this.#level = this.#levels.pop() ?? 'fields'
    const start = this.#starts.pop() ?? 0
    this.#last = this.#position.offset
    this.#out.add(`],"size":${this.#last - start}}`)
    this.#isFirst = false
  }

  #value(field: VMStateField, text: string): void {
    this.#beginValue(field)
    this.#out.add(text)
    this.#endValue()
  }

  /** An element of an array is its value alone. */
  #beginValue(field: VMStateField): void {
    const start = this.#last
    this.#last = this.#position.offset
    if (this.#level === 'values') {
      if (!this.#isFirst) this.#out.add(',')
      this.#isFirst = false
      return
    }
    const end = this.#last
    this.#last = start
    this.#begin(field.name, field.type, `,"size":${end - start},"value":`)
    this.#last = end
  }

  #endValue(): void {
    if (this.#level !== 'values') this.#out.add('}')
  }
}
