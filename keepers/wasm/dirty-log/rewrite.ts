// A module in, the same module out with a mark behind each store. Guest memory is moved up by the size of a
// table that lies below it, [0, tableBytes), out of the guest's reach: a guest address is the address given
// plus the offset in the instruction, and all of those are raised. The table has one byte for each page of
// guest memory; a store sets the one of the page in which it begins. Hidden mutable globals are exported, because
// a checkpoint must hold them. How it works and what it costs is in docs/dirty-log.md.

import { ByteReader, Refusal } from '../../../formats/wasm/byte-reader.ts'
import { ByteWriter } from '../../../formats/wasm/byte-writer.ts'
import { type ShiftedData, shiftData } from './data-segments.ts'
import { BodyRewriter, type BodyContext, type Sites } from './function-body.ts'
import { markBody, startBody } from './added-functions.ts'
import { hiddenGlobals } from '../../../formats/wasm/hidden-globals.ts'
import { putGlobalExports } from './complete-module.ts'
import {
  KIND,
  SECTION,
  SECTION_ORDER,
  type Span,
  WASM_PAGE_BYTES,
} from '../../../formats/wasm/module-numbers.ts'
import { type Limits, type ModuleLayout, readLayout } from '../../../formats/wasm/module-layout.ts'
import { type MemoryPlan, planMemory } from './memory-plan.ts'
import { withFunctionNames } from '../../../formats/wasm/name-section.ts'
import { I32, OPERATIONS, type Operations } from '../../../formats/wasm/operations.ts'

/** A function (address, length), both i32 and of the guest: marks the pages of what the host itself wrote. */
export const MARK_EXPORT = 'colo_mark_dirty'

/**
 * Raised whenever the same module is rewritten to other bytes: belongs into the key under which a rewritten module
 * is kept.
 */
export const REWRITER_VERSION = 2

const START_NAME = 'colo_initialize_data'

export interface DirtyLogModule {
  readonly bytes: Uint8Array
  /**
   * Bytes by which guest memory is shifted up: the table [0, tableBytes) lies below it, one byte a 4 KiB page
   * of guest memory. A multiple of 64 KiB.
   */
  readonly tableBytes: number
  /** The largest memory that the guest may have, without the table; a multiple of 64 KiB. */
  readonly memoryBytesMax: number
  /** How many instructions were rewritten. */
  readonly sites: Readonly<Sites>
  /** Bytes of code before and after. */
  readonly code: { readonly before: number; readonly after: number }
}

export interface NotRewritable {
  /** Names the feature that stands in the way, such as `memory64`. */
  readonly refused: string
  /** The byte of the module at which it was seen. */
  readonly offset?: number
}

export const isRewritten = (result: DirtyLogModule | NotRewritable): result is DirtyLogModule =>
  'bytes' in result

/**
 * Rewrites a module so that every write to its memory marks its 4 KiB page. `maxMemoryBytes` is the most
 * memory that the guest will be given, if that is less than the module declares; the rewritten module declares
 * the lower of the two, and takes no more. `module` should be valid: one that is not is refused, or gives a
 * module that is not valid either. The guest sees its own addresses and its own size, and traps where it did.
 */
export function addDirtyLog(
  module: Uint8Array,
  maxMemoryBytes?: number,
): DirtyLogModule | NotRewritable {
  return rewriteBy(OPERATIONS, module, maxMemoryBytes)
}

/** As addDirtyLog, by another table of operations: tests plant mistakes in it to see them caught. */
export function rewriteBy(
  operations: Operations,
  module: Uint8Array,
  maxMemoryBytes?: number,
): DirtyLogModule | NotRewritable {
  try {
    return new Rewriter(operations, module, maxMemoryBytes).rewrite()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { message: refused, offset } = error
    return offset === undefined ? { refused } : { refused, offset }
  }
}

class Rewriter {
  readonly #bytes: Uint8Array
  readonly #layout: ModuleLayout
  readonly #plan: MemoryPlan
  readonly #data: ShiftedData
  readonly #context: BodyContext
  readonly #code = { before: 0, after: 0 }
  /** By section number, what the section says instead. */
  readonly #rewriting: ReadonlyMap<number, (out: ByteWriter) => void> = new Map([
    [SECTION.type, (out) => this.#types(out)],
    [SECTION.import, (out) => this.#imports(out)],
    [SECTION.function, (out) => this.#functions(out)],
    [SECTION.memory, (out) => this.#memories(out)],
    [SECTION.export, (out) => this.#exports(out)],
    [SECTION.start, (out) => this.#start(out)],
    [SECTION.dataCount, (out) => this.#dataCount(out)],
    [SECTION.code, (out) => this.#bodies(out)],
    [SECTION.data, (out) => this.#data.section && out.copy(this.#data.section)],
  ])

  constructor(operations: Operations, bytes: Uint8Array, maxMemoryBytes: number | undefined) {
    this.#bytes = bytes
    this.#layout = readLayout(bytes)
    if (this.#layout.exports.some(({ name }) => name === MARK_EXPORT)) {
      throw new Refusal(`an export named ${MARK_EXPORT}, as a rewritten module has it`)
    }
    this.#plan = planMemory(this.#layout, maxMemoryBytes)
    const tableBytes = this.#plan.tablePages * WASM_PAGE_BYTES
    this.#data = shiftData(bytes, this.#layout, tableBytes)
    this.#context = {
      operations,
      tableBytes,
      markFunction: this.#layout.functions.length,
      sites: { stores: 0, loads: 0, bulk: 0, sizes: 0 },
    }
  }

  rewrite(): DirtyLogModule {
    const out = new ByteWriter(this.#bytes.length * 2 + 1024)
    out.copy(this.#bytes, 0, 8)
    for (const id of SECTION_ORDER) {
      const content = this.#content(id)
      if (content === undefined) continue
      out.put(id)
      out.sized(content)
    }
    this.#putNames(out)
    const { tableBytes, sites } = this.#context
    return {
      bytes: out.written.slice(),
      tableBytes,
      memoryBytesMax: this.#plan.guestPagesMax * WASM_PAGE_BYTES,
      sites,
      code: this.#code,
    }
  }

  get #hasStart(): boolean {
    return this.#data.start.length > 0
  }

  /** What a section says in the rewritten module; undefined if it has no such section. */
  #content(id: number): Uint8Array | undefined {
    const span = this.#layout.sections.get(id)
    const rewrite = this.#rewriting.get(id)
    if (rewrite === undefined) return span && this.#bytes.subarray(span.start, span.end)
    const out = new ByteWriter(span === undefined ? 64 : (span.end - span.start) * 2 + 64)
    rewrite(out)
    return out.length === 0 ? undefined : out.written
  }

  /** Copies the entries of a section behind a count that is raised by those to come. */
  #copyEntries(out: ByteWriter, id: number, added: number): void {
    const span = this.#layout.sections.get(id)
    if (span === undefined) return out.u32(added)
    const reader = this.#reader(span)
    out.u32(reader.u32() + added)
    out.copy(this.#bytes, reader.at, span.end)
  }

  #reader({ start, end }: Span): ByteReader {
    return new ByteReader(this.#bytes, start, end)
  }

  #types(out: ByteWriter): void {
    this.#copyEntries(out, SECTION.type, this.#hasStart ? 2 : 1)
    out.put(0x60, 2, I32, I32, 0)
    if (this.#hasStart) out.put(0x60, 0, 0)
  }

  #functions(out: ByteWriter): void {
    this.#copyEntries(out, SECTION.function, this.#hasStart ? 2 : 1)
    out.u32(this.#layout.types.length)
    if (this.#hasStart) out.u32(this.#layout.types.length + 1)
  }

  #imports(out: ByteWriter): void {
    const { imports } = this.#layout
    if (imports.length === 0) return
    out.u32(imports.length)
    for (const { kind, entry, detail } of imports) {
      if (kind !== KIND.memory) {
        out.copy(this.#bytes, entry.start, entry.end)
        continue
      }
      out.copy(this.#bytes, entry.start, detail.start)
      this.#putLimits(out, this.#layout.memories[0].limits)
    }
  }

  #memories(out: ByteWriter): void {
    const [{ imported, limits }] = this.#layout.memories
    if (imported) return
    out.u32(1)
    this.#putLimits(out, limits)
  }

  /** With a maximum in any case: no mark may ever lie beyond the table. */
  #putLimits(out: ByteWriter, { min }: Limits): void {
    const { tablePages, guestPagesMax } = this.#plan
    out.put(1)
    out.u32(min + tablePages)
    out.u32(guestPagesMax + tablePages)
  }

  #exports(out: ByteWriter): void {
    const { globals, exports } = this.#layout
    const hidden = hiddenGlobals(globals, exports)
    this.#copyEntries(out, SECTION.export, 1 + hidden.length)
    out.name(MARK_EXPORT)
    out.put(KIND.function)
    out.u32(this.#context.markFunction)
    putGlobalExports(out, hidden)
  }

  #start(out: ByteWriter): void {
    const span = this.#layout.sections.get(SECTION.start)
    if (this.#hasStart) out.u32(this.#context.markFunction + 1)
    else if (span !== undefined) out.copy(this.#bytes, span.start, span.end)
  }

  #dataCount(out: ByteWriter): void {
    const isThere = this.#layout.sections.has(SECTION.dataCount)
    if (isThere || this.#hasStart) out.u32(this.#data.segments)
  }

  #bodies(out: ByteWriter): void {
    const { types, functions, importedFunctions, sections } = this.#layout
    const defined = functions.length - importedFunctions
    const span = sections.get(SECTION.code)
    const reader = this.#reader(span ?? { start: 0, end: 0 })
    const bodies = span === undefined ? 0 : reader.u32()
    if (bodies !== defined) throw reader.malformed(`${defined} functions, ${bodies} bodies`)
    const rewriter = new BodyRewriter(this.#context, this.#bytes)
    out.u32(bodies + (this.#hasStart ? 2 : 1))
    for (let i = importedFunctions; i < functions.length; i++) {
      const type = types.at(functions[i])
      if (type === undefined) throw reader.malformed(`function ${i} is of no type`)
      const length = reader.u32()
      const start = reader.at
      reader.skip(length)
      rewriter.rewrite(start, reader.at, type.params, out)
    }
    if (!reader.isAtEnd) throw reader.malformed('the code section is longer than its bodies')
    const { tableBytes } = this.#context
    out.sized(markBody(tableBytes))
    if (this.#hasStart) out.sized(startBody(this.#data.start, this.#oldStart()))
    this.#code.before = span === undefined ? 0 : span.end - span.start
    this.#code.after = out.length
  }

  #oldStart(): number | undefined {
    const span = this.#layout.sections.get(SECTION.start)
    return span && this.#reader(span).u32()
  }

  /** Other custom sections speak of offsets that are no longer so (branch hints, DWARF). */
  #putNames(out: ByteWriter): void {
    const span = this.#layout.names
    if (span === undefined) return
    const added: [number, string][] = [[this.#context.markFunction, MARK_EXPORT]]
    if (this.#hasStart) added.push([this.#context.markFunction + 1, START_NAME])
    const names = withFunctionNames(this.#reader(span), added)
    if (names === undefined) return
    out.put(SECTION.custom)
    out.sized(names)
  }
}
