// The sections of a WebAssembly module that decide whether it can be protected: imports, functions' bodies,
// memory, globals, exports. It reads any module that an engine takes, also one whose code the rewriter of the
// dirty log does not know, because a scan protects such a module too.

import { KIND, SECTION, type Span } from './module-numbers.ts'

const PREAMBLE_BYTES = 8

export const I32_TYPE = 0x7f
/** f64, f32, i64, i32: what a host can read and write as bits. */
const NUMBER_TYPES: readonly number[] = [0x7c, 0x7d, 0x7e, I32_TYPE]
const TYPE_NAMES: Readonly<Record<number, string>> = { 0x7b: 'v128' }

export const isNumber = (type: number): boolean => NUMBER_TYPES.includes(type)
/** What a global holds that is no number. */
export const nameOfType = (type: number): string => TYPE_NAMES[type] ?? 'a reference'

export interface Limits {
  readonly flags: number
  /** In WebAssembly pages. */
  readonly min: number
  readonly max: number | undefined
  /** Its bytes in the module. */
  readonly span: Span
}

export interface GlobalFacts {
  readonly mutable: boolean
  readonly type: number
  /** `module.name` if it is imported. */
  readonly imported: string | undefined
  /** Where its initial value begins, if it has one. */
  readonly valueAt?: number
}

export interface ExportFacts {
  readonly name: string
  readonly kind: number
  readonly index: number
}

export interface Sections {
  /** In the order of the module, custom ones included: `start` is behind the length. */
  readonly spans: { readonly id: number; readonly span: Span }[]
  readonly imports: string[]
  readonly globals: GlobalFacts[]
  readonly exports: ExportFacts[]
  /** Where the body of each function that is not imported lies. */
  readonly bodies: Span[]
  importedFunctions: number
  memories: number
  memory: Limits | undefined
  importsMemory: boolean
}

const percentOf = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`

export class Cursor {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError('the module ends within a section')
    return this.bytes[this.at++]
  }

  leb(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
      if (shift > 63) throw new RangeError('a number longer than 64 bits')
    }
  }

  /** A signed number of 32 bits. */
  i32(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return shift < 28 && byte & 0x40 ? value | (-1 << (shift + 7)) : value
      if (shift > 28) throw new RangeError('a number longer than 32 bits')
    }
  }

  name(): string {
    const length = this.leb()
    let text = ''
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.byte())
    return /^[\0-\x7f]*$/.test(text) ? text : decodeURIComponent(text.replace(/[^]/g, percentOf))
  }

  /** A reference to a type of its own (0x63, 0x64) is followed by which. */
  valueType(): number {
    const type = this.byte()
    if (type === 0x63 || type === 0x64) this.leb()
    return type
  }

  limits(): Limits {
    const start = this.at
    const flags = this.byte()
    const min = this.leb()
    const max = flags & 1 ? this.leb() : undefined
    return { flags, min, max, span: { start, end: this.at } }
  }

  /** Skips the constant expression that a global begins with. */
  skipExpression(): void {
    for (;;) {
      const opcode = this.byte()
      if (opcode === 0x0b) return
      if (opcode === 0x43) this.at += 4
      else if (opcode === 0x44) this.at += 8
      else if (opcode === 0xfd) this.at += this.leb() >= 0 ? 16 : 0
      else if (opcode === 0xfb) this.#skipCreation()
      else if (opcode < 0x6a || opcode > 0x7e) this.leb()
    }
  }

  /** struct.new and array.new name a type, array.new_fixed a length as well; conversions name nothing. */
  #skipCreation(): void {
    const operation = this.leb()
    if (operation <= 8) this.leb()
    if (operation === 8) this.leb()
  }
}

function readImports(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const name = `${cursor.name()}.${cursor.name()}`
    const kind = cursor.byte()
    found.imports.push(name)
    if (kind === KIND.function) {
      cursor.leb()
      found.importedFunctions++
    } else if (kind === KIND.table) {
      cursor.valueType()
      cursor.limits()
    } else if (kind === KIND.memory) {
      found.memory = cursor.limits()
      found.memories++
      found.importsMemory = true
    } else if (kind === KIND.global) {
      const type = cursor.valueType()
      found.globals.push({ type, mutable: cursor.byte() === 1, imported: name })
    } else if (kind === KIND.tag) {
      cursor.byte()
      cursor.leb()
    } else throw new RangeError(`an import of kind ${kind}`)
  }
}

function readMemories(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    found.memory = cursor.limits()
    found.memories++
  }
}

function readGlobals(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const type = cursor.valueType()
    const mutable = cursor.byte() === 1
    found.globals.push({ type, mutable, imported: undefined, valueAt: cursor.at })
    cursor.skipExpression()
  }
}

function readExports(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const name = cursor.name()
    const kind = cursor.byte()
    found.exports.push({ name, kind, index: cursor.leb() })
  }
}

function readBodies(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const length = cursor.leb()
    found.bodies.push({ start: cursor.at, end: cursor.at + length })
    cursor.at += length
  }
}

const READERS: ReadonlyMap<number, (cursor: Cursor, found: Sections) => void> = new Map([
  [SECTION.import, readImports],
  [SECTION.memory, readMemories],
  [SECTION.global, readGlobals],
  [SECTION.export, readExports],
  [SECTION.code, readBodies],
])

/** @throws RangeError or URIError of bytes that are no module */
export function readSections(bytes: Uint8Array): Sections {
  const found: Sections = {
    spans: [],
    imports: [],
    globals: [],
    exports: [],
    bodies: [],
    importedFunctions: 0,
    memories: 0,
    memory: undefined,
    importsMemory: false,
  }
  const cursor = new Cursor(bytes, PREAMBLE_BYTES)
  while (cursor.at < bytes.length) {
    const id = cursor.byte()
    const length = cursor.leb()
    const span = { start: cursor.at, end: cursor.at + length }
    found.spans.push({ id, span })
    READERS.get(id)?.(new Cursor(bytes, span.start), found)
    cursor.at = span.end
  }
  return found
}
