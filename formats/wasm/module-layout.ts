// What a module consists of, as far as the rewriter and `colo guest inspect` must know: where its sections lie,
// its types, imports, functions, memories, globals and exports. Bodies of functions are not looked at here.

import { KIND, SECTION, SECTION_ORDER, type Span } from './module-numbers.ts'
import { ByteReader, Refusal } from './byte-reader.ts'

export interface Limits {
  readonly flags: number
  /** In WebAssembly pages. */
  readonly min: number
  readonly max: number | undefined
}

export interface FunctionType {
  readonly params: number
  readonly results: number
}

export interface ImportEntry {
  readonly module: string
  readonly name: string
  readonly kind: number
  /** The whole entry, and what follows its names and kind. */
  readonly entry: Span
  readonly detail: Span
}

export interface GlobalEntry {
  readonly type: number
  readonly mutable: boolean
  /** `module.name` if it is imported. */
  readonly imported: string | undefined
}

export interface ExportEntry {
  readonly name: string
  readonly kind: number
  readonly index: number
}

export interface ModuleLayout {
  readonly sections: ReadonlyMap<number, Span>
  /** The content of the custom section `name`, behind that name. */
  readonly names: Span | undefined
  readonly types: readonly FunctionType[]
  readonly imports: readonly ImportEntry[]
  /** The type of every function, imported ones first. */
  readonly functions: readonly number[]
  readonly importedFunctions: number
  readonly memories: readonly { readonly imported: boolean; readonly limits: Limits }[]
  readonly globals: readonly GlobalEntry[]
  readonly exports: readonly ExportEntry[]
}

type Growing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }
type Draft = Growing<Omit<ModuleLayout, 'sections'>> & { readonly sections: Map<number, Span> }

const LIMITS_MAX = 1
const LIMITS_SHARED = 2
const LIMITS_64 = 4
const FUNCTION_TYPE = 0x60
const REFERENCE_PREFIXES: readonly number[] = [0x63, 0x64]
/** `\0asm`, version 1. */
const PREAMBLE: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** @throws Refusal */
export function readValueType(reader: ByteReader): number {
  const at = reader.at
  const type = reader.byte()
  if (REFERENCE_PREFIXES.includes(type)) throw new Refusal('typed function references', at)
  return type
}

/** @throws Refusal of limits that no 32-bit memory or table has */
export function readLimits(reader: ByteReader): Limits {
  const at = reader.at
  const flags = reader.byte()
  if (flags & LIMITS_64) throw new Refusal('memory64', at)
  if (flags > (LIMITS_MAX | LIMITS_SHARED)) throw new Refusal('custom page sizes', at)
  const min = reader.u32()
  return { flags, min, max: flags & LIMITS_MAX ? reader.u32() : undefined }
}

export const isShared = (limits: Limits): boolean => (limits.flags & LIMITS_SHARED) !== 0

function readTable(reader: ByteReader): void {
  readValueType(reader)
  readLimits(reader)
}

function readType(reader: ByteReader, layout: Draft): void {
  const at = reader.at
  if (reader.byte() !== FUNCTION_TYPE) throw new Refusal('GC types', at)
  const countTypes = () => {
    const count = reader.u32()
    for (let i = 0; i < count; i++) readValueType(reader)
    return count
  }
  const params = countTypes()
  layout.types.push({ params, results: countTypes() })
}

function readImport(reader: ByteReader, layout: Draft): void {
  const start = reader.at
  const module = reader.name()
  const name = reader.name()
  const kind = reader.byte()
  const detail = reader.at
  if (kind === KIND.function) layout.functions.push(reader.u32())
  else if (kind === KIND.table) readTable(reader)
  else if (kind === KIND.memory)
    layout.memories.push({ imported: true, limits: readLimits(reader) })
  else if (kind === KIND.global) {
    const type = readValueType(reader)
    layout.globals.push({ type, mutable: reader.byte() === 1, imported: `${module}.${name}` })
  } else if (kind === KIND.tag) {
    reader.byte()
    reader.u32()
  } else throw new Refusal(`an import of kind ${kind}`, detail - 1)
  layout.imports.push({
    module,
    name,
    kind,
    entry: { start, end: reader.at },
    detail: { start: detail, end: reader.at },
  })
}

/** Steps over a constant expression, such as an initial value; the reader is behind its `end` then. */
export function skipConstant(reader: ByteReader): void {
  for (;;) {
    const at = reader.at
    const opcode = reader.byte()
    if (opcode === 0x0b) return
    if (opcode === 0x43) reader.skip(4)
    else if (opcode === 0x44) reader.skip(8)
    else if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23) reader.skipLeb()
    else if (opcode === 0xd0 || opcode === 0xd2) reader.skipLeb()
    else if (opcode === 0xfd) {
      reader.u32()
      reader.skip(16)
    } else if (opcode < 0x6a || opcode > 0x7e) {
      throw new Refusal(`opcode 0x${opcode.toString(16)} in a constant`, at)
    }
  }
}

function readGlobal(reader: ByteReader, layout: Draft): void {
  const type = readValueType(reader)
  layout.globals.push({ type, mutable: reader.byte() === 1, imported: undefined })
  skipConstant(reader)
}

function readExport(reader: ByteReader, layout: Draft): void {
  const name = reader.name()
  const kind = reader.byte()
  layout.exports.push({ name, kind, index: reader.u32() })
}

function readMemory(reader: ByteReader, layout: Draft): void {
  layout.memories.push({ imported: false, limits: readLimits(reader) })
}

const ENTRIES: ReadonlyMap<number, (reader: ByteReader, layout: Draft) => void> = new Map([
  [SECTION.type, readType],
  [SECTION.import, readImport],
  [
    SECTION.function,
    (reader: ByteReader, layout: Draft) => void layout.functions.push(reader.u32()),
  ],
  [SECTION.memory, readMemory],
  [SECTION.global, readGlobal],
  [SECTION.export, readExport],
])

/** Where each section lies. Custom sections but for `name` are passed over. */
function readSections(bytes: Uint8Array, layout: Draft): void {
  const reader = new ByteReader(bytes, 0, bytes.length)
  for (const byte of PREAMBLE) {
    if (reader.byte() !== byte) throw reader.malformed('it does not begin like WebAssembly 1', 0)
  }
  while (!reader.isAtEnd) {
    const at = reader.at
    const id = reader.byte()
    const length = reader.u32()
    const start = reader.at
    reader.skip(length)
    const span = { start, end: reader.at }
    if (id === SECTION.custom) {
      const custom = new ByteReader(bytes, start, span.end)
      if (custom.name() === 'name') layout.names = { start: custom.at, end: span.end }
      continue
    }
    if (!SECTION_ORDER.includes(id)) throw new Refusal(`a section of kind ${id}`, at)
    if (layout.sections.has(id)) throw reader.malformed(`section ${id} stands there twice`, at)
    layout.sections.set(id, span)
  }
}

/** @throws Refusal of what is malformed or can't be read */
export function readLayout(bytes: Uint8Array): ModuleLayout {
  const layout: Draft = {
    sections: new Map(),
    names: undefined,
    types: [],
    imports: [],
    functions: [],
    importedFunctions: 0,
    memories: [],
    globals: [],
    exports: [],
  }
  readSections(bytes, layout)
  for (const id of SECTION_ORDER) {
    const span = layout.sections.get(id)
    const readEntry = ENTRIES.get(id)
    if (span === undefined || readEntry === undefined) continue
    const reader = new ByteReader(bytes, span.start, span.end)
    for (let n = reader.u32(); n > 0; n--) readEntry(reader, layout)
    if (!reader.isAtEnd) throw reader.malformed(`section ${id} is longer than its entries`)
    if (id === SECTION.import) layout.importedFunctions = layout.functions.length
  }
  return layout
}
