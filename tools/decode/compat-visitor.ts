// The state of a device as QEMU's own scripts/analyze-migration.py (of 7.2) prints it: structs and arrays nested,
// integers in hexadecimal, and as bytes whatever that script does not know, even where its fields are described.

import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import { vmstateType, type IntegerType } from '../../formats/qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'
import type { TextOutput } from './text-output.ts'
import { quoted } from './value-text.ts'

/** Of 64 bits on the wire, but bytes to the script. */
const BYTES_TYPES = new Set(['timer', 'float64', 'CPU_Double_U'])

/** Unsigned on the wire, signed to the script. */
const SIGNED_TYPES = new Set(['uint8 equal', 'uint16 equal'])

const TREE_COUNT_BYTES = 4

export class CompatVisitor implements OutputVisitor {
  readonly #position: { readonly offset: number }
  readonly #body: Uint8Array
  readonly #base: number
  readonly #out: TextOutput
  #indent: string
  #isFirst = true
  readonly #indents: string[] = []
  readonly #arrays: boolean[] = []
  #isArray = false
  /** Within a field that is shown as bytes: how deep, and where it began. */
  #hidden = 0
  #hiddenFrom = 0

  /** Writes to `out`. `position` says where in the stream the bytes being read are, `body` (from `base` on) what they are. */
  constructor(
    out: TextOutput,
    position: { readonly offset: number },
    body: Uint8Array,
    base: number,
    indent: string,
  ) {
    this.#out = out
    this.#position = position
    this.#body = body
    this.#base = base
    this.#indent = indent
  }

  beginStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (this.#hidden > 0 || (field !== undefined && field.type !== 'struct')) {
      this.#hide(this.#position.offset)
      return
    }
    if (field !== undefined) this.#next(field.name)
    this.#open('{', false)
  }

  endStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    if (this.#hidden === 0) this.#close('}')
    else if (field !== undefined) this.#show(field)
    else this.#hidden--
  }

  beginArray(field: VMStateField): void {
    if (this.#hidden > 0) return
    this.#next(field.name)
    this.#open('[', true)
  }

  endArray(): void {
    if (this.#hidden === 0) this.#close(']')
  }

  beginList(field: VMStateField): void {
    const isTree = vmstateType(field.type).kind === 'tree'
    this.#hide(this.#position.offset - (isTree ? TREE_COUNT_BYTES : 0))
  }

  nextElement(): void {}

  endList(field: VMStateField): void {
    this.#show(field)
  }

  nullPointer(field: VMStateField): void {
    this.#value(field, '"30"')
  }

  bool(field: VMStateField, value: boolean): void {
    this.#value(field, value ? 'true' : 'false')
  }

  integers(field: VMStateField, type: IntegerType, value: Uint8Array): void {
    if (this.#hidden > 0) return
    const { bytes, signed } = type
    const out = this.#out
    const asBytes = BYTES_TYPES.has(field.type)
    for (let at = 0; at < value.length; at += bytes) {
      out.add(at === 0 ? '\n' : ',\n')
      out.add(this.#indent)
      out.add('"')
      if (asBytes) out.pairs(value.subarray(at, at + bytes), true)
      else out.hexAt(value, at, bytes)
      const isNegative = signed && !asBytes && value[at] > 0x7f
      out.add(isNegative ? ` (${negative(value, at, bytes)})"` : '"')
    }
    if (value.length > 0) this.#isFirst = false
  }

  int(field: VMStateField, type: IntegerType, value: number): void {
    if (this.#hidden > 0) return
    const half = 2 ** (8 * type.bytes - 1)
    const shown = value >= half && SIGNED_TYPES.has(field.type) ? value - 2 * half : value
    this.#next(field.name)
    this.#out.add('"')
    this.#out.hex(value, type.bytes)
    this.#out.add(shown < 0 ? ` (${shown})"` : '"')
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    if (this.#hidden > 0) return
    if (BYTES_TYPES.has(field.type)) {
      const pairs = BigInt.asUintN(64, value).toString(16).padStart(16, '0')
      this.#value(field, `"${pairs.replaceAll(/..(?!$)/g, '$& ')}"`)
      return
    }
    this.#next(field.name)
    this.#out.add('"')
    this.#out.hex64(value)
    this.#out.add(value < 0n ? ` (${value})"` : '"')
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    if (this.#hidden > 0) return
    this.#next(field.name)
    this.#out.add('"')
    this.#out.pairs(value, true)
    this.#out.add('"')
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.bytes(field, value)
  }

  text(field: VMStateField, value: string): void {
    this.#value(field, quoted(value))
  }

  beginSubsection(vmsd: VMStateDescription): void {
    if (this.#hidden > 0) return
    this.#next(vmsd.name)
    this.#open('{', false)
  }

  endSubsection(): void {
    if (this.#hidden === 0) this.#close('}')
  }

  #hide(offset: number): void {
    if (this.#hidden === 0) this.#hiddenFrom = offset
    this.#hidden++
  }

  /** The end of what is hidden: if it is the outermost, its bytes are shown. */
  #show(field: VMStateField): void {
    this.#hidden--
    if (this.#hidden > 0) return
    const from = this.#hiddenFrom - this.#base
    this.bytes(field, this.#body.subarray(from, this.#position.offset - this.#base))
  }

  #value(field: VMStateField, text: string): void {
    if (this.#hidden > 0) return
    this.#next(field.name)
    this.#out.add(text)
  }

  /** What stands ahead of a value: within an array its element has no name. */
  #next(name: string): void {
    const out = this.#out
    out.add(this.#isFirst ? '\n' : ',\n')
    out.add(this.#indent)
    this.#isFirst = false
    if (this.#isArray) return
    out.quoted(name)
    out.add(': ')
  }

  #open(bracket: string, isArray: boolean): void {
    this.#out.add(bracket)
    this.#indents.push(this.#indent)
    this.#indent += '    '
    this.#isFirst = true
    this.#arrays.push(this.#isArray)
    this.#isArray = isArray
  }

  #close(bracket: string): void {
    this.#indent = this.#indents.pop() ?? ''
    this.#isArray = this.#arrays.pop() ?? false
    if (!this.#isFirst) this.#out.add(`\n${this.#indent}`)
    this.#out.add(bracket)
    this.#isFirst = false
  }
}

/** The value of a negative number as it lies on the wire. */
function negative(value: Uint8Array, at: number, bytes: number): bigint {
  let sum = 0n
  for (let i = at; i < at + bytes; i++) sum = sum * 256n + BigInt(value[i])
  return BigInt.asIntN(8 * bytes, sum)
}
