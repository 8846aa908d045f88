// `--state` as text: a line for each value with the offset at which it lies in the stream, its name and type;
// arrays of numbers take as many lines as they need.

import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import { vmstateType, type IntegerType } from '../../formats/qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'
import type { TextOutput } from './text-output.ts'
import { innerText, quoted } from './value-text.ts'

const BYTES_A_LINE = 32
const ARRAY_LINE_CHARACTERS = 72
const BYTES_OF_TREE_COUNT = 4

export class StateText implements OutputVisitor {
  readonly #position: { readonly offset: number }
  readonly #out: TextOutput
  #indent = '  '
  /** Where the value to come begins. */
  #last: number
  /** Of the arrays and lists around: the number of the next element. */
  readonly #indices: number[] = []
  #index = -1
  readonly #indents: string[] = []
  #rowCharacters = 0

  constructor(position: { readonly offset: number }, out: TextOutput) {
    this.#position = position
    this.#out = out
    this.#last = position.offset
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    if (field === undefined) return
    const what = field.type === 'struct' ? vmsd.name : `${field.type} ${vmsd.name}`
    this.#title(field)
    this.#out.add(`: ${what} v${vmsd.version_id}\n`)
    this.#in(-1)
  }

  endStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (field !== undefined) this.#endLevel()
  }

  beginArray(field: VMStateField, count: number): void {
    this.#title(field)
    this.#out.add(`[${count}]: ${field.type}\n`)
    this.#in(0)
  }

  endArray(): void {
    this.#endRow()
    this.#endLevel()
  }

  beginList(field: VMStateField, count?: number): void {
    const isTree = vmstateType(field.type).kind === 'tree'
    this.#last = this.#position.offset - (isTree ? BYTES_OF_TREE_COUNT : 0)
    this.#title(field)
    this.#out.add(`: ${field.type}${isTree ? ` of ${count}` : ''}\n`)
    this.#in(0)
  }

  nextElement(): void {
    this.#last = this.#position.offset
  }

  endList(): void {
    this.#endLevel()
  }

  nullPointer(field: VMStateField): void {
    this.#value(field, 'null', field.type)
  }

  bool(field: VMStateField, value: boolean): void {
    this.#value(field, String(value), 'bool')
  }

  integers(_field: VMStateField, { bytes }: IntegerType, value: Uint8Array): void {
    const lineBytes = Math.floor(ARRAY_LINE_CHARACTERS / (3 + 2 * bytes)) * bytes
    let isGap = false
    for (let start = 0; start < value.length; start += lineBytes) {
      const end = Math.min(start + lineBytes, value.length)
      const isZero = start > 0 && isZeroFrom(value, start, end)
      if (isZero && isGap) continue
      isGap = isZero
      this.#lineHead(this.#last + start)
      if (isZero) this.#out.add('0x0 ...')
      else this.#numbers(value, start, end, bytes)
      this.#out.add('\n')
    }
  }

  #numbers(value: Uint8Array, start: number, end: number, bytes: number): void {
    for (let at = start; at < end; at += bytes) {
      if (at > start) this.#out.add(' ')
      this.#out.hexAt(value, at, bytes)
    }
  }

  int(field: VMStateField, type: IntegerType, value: number): void {
    if (this.#index >= 0) {
      this.#beginInRow(type.bytes)
      this.#out.hex(value, type.bytes)
      return
    }
    this.#beginValue(field)
    this.#out.hex(value, type.bytes)
    if (value > 9 || value < 0) this.#out.add(` (${value})`)
    this.#endValue(field.type)
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    if (this.#index >= 0 && field.name !== 'key') {
      this.#beginInRow(8)
      this.#out.hex64(value)
      return
    }
    this.#beginValue(field)
    this.#out.hex64(value)
    if (field.type === 'timer' && value < 0n) this.#out.add(' (off)')
    else if (value > 9n || value < 0n) this.#out.add(` (${value})`)
    this.#endValue(field.type)
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const start = this.#last
    this.#beginValue(field)
    this.#out.pairs(value.subarray(0, BYTES_A_LINE), true)
    this.#endValue(`${field.type}, ${value.length} bytes`)
    let isGap = false
    for (let at = BYTES_A_LINE; at < value.length; at += BYTES_A_LINE) {
      const line = value.subarray(at, at + BYTES_A_LINE)
      const isZero = isZeroFrom(line, 0, line.length)
      if (isZero && isGap) continue
      isGap = isZero
      this.#lineHead(start + at)
      if (isZero) this.#out.add('  00 ...\n')
      else {
        this.#out.add('  ')
        this.#out.pairs(line, true)
        this.#out.add('\n')
      }
    }
    for (const inner of innerValues(field.type, value)) {
      this.#lineHead(start + inner.at)
      this.#out.add(`  ${inner.name} = ${innerText(inner)}\n`)
    }
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.bytes(field, value)
  }

  text(field: VMStateField, value: string): void {
    this.#value(field, quoted(value), field.type)
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    this.#lineHead(this.#last)
    this.#out.add(`subsection ${vmsd.name} v${version_id}\n`)
    this.#last = this.#position.offset
    this.#in(-1)
  }

  endSubsection(): void {
    this.#endLevel()
  }

  #in(index: number): void {
    this.#indices.push(this.#index)
    this.#index = index
    this.#indents.push(this.#indent)
    this.#indent += '  '
  }

  #endLevel(): void {
    this.#index = this.#indices.pop() ?? -1
    this.#indent = this.#indents.pop() ?? ''
    this.#last = this.#position.offset
  }

  /** Within an array or a list the elements are numbered. */
  #name(field: VMStateField): void {
    if (this.#index < 0 || field.name === 'key') this.#out.add(field.name)
    else this.#out.add(`[${this.#index++}]`)
  }

  #value(field: VMStateField, value: string, type: string): void {
    this.#beginValue(field)
    this.#out.add(value)
    this.#endValue(type)
  }

  #beginValue(field: VMStateField): void {
    this.#endRow()
    this.#lineHead(this.#last)
    this.#name(field)
    this.#out.add(' = ')
  }

  #endValue(type: string): void {
    this.#out.add('  (')
    this.#out.add(type)
    this.#out.add(')\n')
    this.#last = this.#position.offset
  }

  /** A number of an array: as many as fit stand on one line. */
  #beginInRow(bytes: number): void {
    this.#index++
    const width = 3 + 2 * bytes
    if (this.#rowCharacters + width > ARRAY_LINE_CHARACTERS) this.#endRow()
    if (this.#rowCharacters === 0) this.#lineHead(this.#position.offset - bytes)
    else this.#out.add(' ')
    this.#rowCharacters += width
  }

  #endRow(): void {
    if (this.#rowCharacters === 0) return
    this.#out.add('\n')
    this.#rowCharacters = 0
  }

  /** The beginning of a line about what a value is made of. */
  #title(field: VMStateField): void {
    this.#lineHead(this.#last)
    this.#name(field)
  }

  #lineHead(offset: number): void {
    this.#out.offset(offset)
    this.#out.add(this.#indent)
  }
}

function isZeroFrom(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] !== 0) return false
  }
  return true
}
