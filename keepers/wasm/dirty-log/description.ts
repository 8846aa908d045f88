// What somebody who brings a module wants to know of it before a pair is started: what it consists of, whether it
// can be protected and how, and if not, everything that stands in the way. Plain data, for `colo guest inspect`.

import type { AbiFacts } from '../abi/abi-version.ts'
import { hiddenGlobals } from '../../../formats/wasm/hidden-globals.ts'
import { inspectModule } from '../abi/wasm-module.ts'
import { ByteReader, Refusal } from '../../../formats/wasm/byte-reader.ts'
import { skipImmediates } from '../../../formats/wasm/immediates.ts'
import { KIND, SECTION, WASM_PAGE_BYTES } from '../../../formats/wasm/module-numbers.ts'
import {
  isShared,
  type ModuleLayout,
  readLayout,
  readValueType,
} from '../../../formats/wasm/module-layout.ts'
import { codeOf, type Feature, isPrefix, OPERATIONS } from '../../../formats/wasm/operations.ts'
import { addDirtyLog, isRewritten, type DirtyLogModule } from './rewrite.ts'

/** How dirty pages of a module are found: by marks behind its stores, by comparing all memory, or not at all. */
export type Protection = 'log' | 'scan' | 'none'

export interface ModuleDescription {
  readonly bytes: number
  readonly protection: Protection
  /** Which version of the contract it was written for; undefined if it can't be protected. */
  readonly abi: AbiFacts | undefined
  /** Why it can't be protected; empty if it can. */
  readonly reasons: readonly string[]
  /** Why it can't have a dirty log; undefined if it can. */
  readonly logRefused: string | undefined
  readonly log: Omit<DirtyLogModule, 'bytes'> | undefined
  /** undefined if the module holds something that is not understood here. */
  readonly parts: ModuleParts | undefined
}

export interface ModuleParts {
  readonly memories: readonly {
    readonly imported: boolean
    readonly bytesMin: number
    readonly bytesMax: number | undefined
    readonly shared: boolean
  }[]
  readonly globals: readonly {
    readonly type: string
    readonly mutable: boolean
    readonly imported: string | undefined
    readonly exported: readonly string[]
    /** The name by which the module that runs exports it, if this one does not. */
    readonly hidden: string | undefined
  }[]
  readonly imports: readonly { readonly name: string; readonly kind: string }[]
  readonly exports: readonly { readonly name: string; readonly kind: string }[]
  /** What it uses beyond WebAssembly 1.0, sorted. */
  readonly features: readonly Feature[]
  /** State that it changes at run time and that no checkpoint holds. */
  readonly lost: readonly string[]
  readonly functions: number
  /** Bytes of its code section. */
  readonly codeBytes: number
}

const TABLE_LOST = 'what it puts into tables at run time'
const SEGMENT_LOST = 'which segments it has dropped'

/** Instructions that change what a checkpoint does not hold. */
const LOST: ReadonlyMap<number, string> = new Map([
  [0x26, TABLE_LOST],
  [codeOf(0xfc, 9), SEGMENT_LOST],
  [codeOf(0xfc, 12), TABLE_LOST],
  [codeOf(0xfc, 13), SEGMENT_LOST],
  [codeOf(0xfc, 14), TABLE_LOST],
  [codeOf(0xfc, 15), TABLE_LOST],
  [codeOf(0xfc, 17), TABLE_LOST],
])

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
}

function nameOfKind(kind: number): string {
  return Object.entries(KIND).find(([, number]) => number === kind)?.[0] ?? `kind ${kind}`
}

/** Notes every instruction of one body, by its code. */
function readInstructions(reader: ByteReader, found: Set<number>): void {
  for (let groups = reader.u32(); groups > 0; groups--) {
    reader.u32()
    readValueType(reader)
  }
  while (!reader.isAtEnd) {
    const at = reader.at
    const first = reader.byte()
    const code = isPrefix(first) ? codeOf(first, reader.u32()) : first
    const operation = OPERATIONS.get(code)
    if (operation === undefined) throw new Refusal(`opcode 0x${code.toString(16)}`, at)
    skipImmediates(reader, operation)
    found.add(code)
  }
}

/** The instructions that the module has anywhere, by code. */
function instructionsOf(bytes: Uint8Array, layout: ModuleLayout): Set<number> {
  const found = new Set<number>()
  const code = layout.sections.get(SECTION.code)
  if (code === undefined) return found
  const reader = new ByteReader(bytes, code.start, code.end)
  for (let n = reader.u32(); n > 0; n--) {
    const length = reader.u32()
    const start = reader.at
    reader.skip(length)
    readInstructions(new ByteReader(bytes, start, reader.at), found)
  }
  return found
}

function featuresOf(layout: ModuleLayout, instructions: ReadonlySet<number>): Feature[] {
  const found = new Set<Feature>()
  for (const code of instructions) {
    const feature = OPERATIONS.get(code)?.feature
    if (feature !== undefined) found.add(feature)
  }
  if (layout.types.some(({ results }) => results > 1)) found.add('multi-value')
  if (layout.sections.has(SECTION.dataCount)) found.add('bulk memory')
  if (layout.sections.has(SECTION.tag)) found.add('exceptions')
  if (layout.memories.some(({ limits }) => isShared(limits))) found.add('threads')
  const crosses = ({ kind, index }: { kind: number; index: number }) =>
    kind === KIND.global && layout.globals.at(index)?.mutable === true
  const importsMutable = layout.globals.some(({ mutable, imported }) => mutable && imported)
  if (importsMutable || layout.exports.some(crosses)) found.add('mutable globals across the border')
  return [...found].toSorted()
}

function lostBy(instructions: ReadonlySet<number>): string[] {
  const lost = [...instructions].map((code) => LOST.get(code) ?? '').filter((text) => text !== '')
  return [...new Set(lost)].toSorted()
}

function partsOf(bytes: Uint8Array, layout: ModuleLayout): ModuleParts {
  const code = layout.sections.get(SECTION.code)
  const instructions = instructionsOf(bytes, layout)
  const names = new Map<number, string[]>()
  for (const { kind, index, name } of layout.exports) {
    if (kind !== KIND.global) continue
    const known = names.get(index)
    if (known === undefined) names.set(index, [name])
    else known.push(name)
  }
  const hidden = new Map(
    hiddenGlobals(layout.globals, layout.exports).map(({ index, name }) => [index, name]),
  )
  return {
    memories: layout.memories.map(({ imported, limits }) => ({
      imported,
      bytesMin: limits.min * WASM_PAGE_BYTES,
      bytesMax: limits.max === undefined ? undefined : limits.max * WASM_PAGE_BYTES,
      shared: isShared(limits),
    })),
    globals: layout.globals.map(({ type, mutable, imported }, index) => ({
      type: TYPE_NAMES[type] ?? `0x${type.toString(16)}`,
      mutable,
      imported,
      exported: names.get(index) ?? [],
      hidden: hidden.get(index),
    })),
    imports: layout.imports.map(({ module, name, kind }) => ({
      name: `${module}.${name}`,
      kind: nameOfKind(kind),
    })),
    exports: layout.exports.map(({ name, kind }) => ({ name, kind: nameOfKind(kind) })),
    features: featuresOf(layout, instructions),
    lost: lostBy(instructions),
    functions: layout.functions.length - layout.importedFunctions,
    codeBytes: code === undefined ? 0 : code.end - code.start,
  }
}

function readParts(bytes: Uint8Array): ModuleParts | undefined {
  try {
    return partsOf(bytes, readLayout(bytes))
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/**
 * Describes a module for a guest that gets at most `memoryBytesMax` bytes of memory. `bytes` should be a valid
 * module: the engine judges that.
 */
export function describeModule(bytes: Uint8Array, memoryBytesMax: number): ModuleDescription {
  const parts = readParts(bytes)
  const verdict = inspectModule(bytes, memoryBytesMax)
  const reasons = 'reasons' in verdict ? verdict.reasons : []
  const rewritten = addDirtyLog(bytes, memoryBytesMax)
  const isLogged = isRewritten(rewritten)
  return {
    bytes: bytes.length,
    protection: reasons.length > 0 ? 'none' : isLogged ? 'log' : 'scan',
    abi: 'abi' in verdict ? verdict.abi : undefined,
    reasons,
    logRefused: isLogged ? undefined : rewritten.refused,
    log: isLogged ? logOf(rewritten) : undefined,
    parts,
  }
}

function logOf({
  tableBytes,
  memoryBytesMax,
  sites,
  code,
}: DirtyLogModule): ModuleDescription['log'] {
  return { tableBytes, memoryBytesMax, sites, code }
}
