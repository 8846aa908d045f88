// A module as it runs when its dirty pages are found by a scan: the stores as they were, but its hidden mutable
// globals exported and a maximum on its memory, as the rewriter for the dirty log does both. So what a guest may
// be written in does not depend on how its dirty pages are found.

import { hiddenGlobals, type HiddenGlobal } from '../../../formats/wasm/hidden-globals.ts'
import { type Limits, readSections, type Sections } from '../../../formats/wasm/module-sections.ts'
import { ByteReader } from '../../../formats/wasm/byte-reader.ts'
import { ByteWriter } from '../../../formats/wasm/byte-writer.ts'
import { KIND, SECTION, WASM_PAGE_BYTES } from '../../../formats/wasm/module-numbers.ts'

const PREAMBLE_BYTES = 8
const LIMITS_WITH_MAX = 1

/** The entries of an export section for globals that the module does not export itself. */
export function putGlobalExports(out: ByteWriter, hidden: readonly HiddenGlobal[]): void {
  for (const { name, index } of hidden) {
    out.name(name)
    out.put(KIND.global)
    out.u32(index)
  }
}

/** The limits that need a maximum, or a lower one. */
function looseLimits({ memory, importsMemory }: Sections, pagesMax: number): Limits | undefined {
  if (memory === undefined || importsMemory) return undefined
  return memory.max === undefined || memory.max > pagesMax ? memory : undefined
}

/**
 * The module with all that a host needs of it, for a guest that gets at most `memoryBytesMax` bytes; the bytes
 * themselves if nothing is missing. `bytes` is a module that `inspectModule` accepts.
 */
export function completeModule(bytes: Uint8Array, memoryBytesMax: number): Uint8Array {
  const found = readSections(bytes)
  const pagesMax = Math.floor(memoryBytesMax / WASM_PAGE_BYTES)
  const hidden = hiddenGlobals(found.globals, found.exports)
  const limits = looseLimits(found, pagesMax)
  if (hidden.length === 0 && limits === undefined) return bytes
  const out = new ByteWriter(bytes.length + 64 * (hidden.length + 1))
  out.copy(bytes, 0, PREAMBLE_BYTES)
  for (const { id, span } of found.spans) {
    const content = new ByteWriter(64)
    if (id === SECTION.memory && limits !== undefined) {
      content.copy(bytes, span.start, limits.span.start)
      content.put(LIMITS_WITH_MAX)
      content.u32(limits.min)
      content.u32(pagesMax)
      content.copy(bytes, limits.span.end, span.end)
    } else if (id === SECTION.export) {
      const reader = new ByteReader(bytes, span.start, span.end)
      content.u32(reader.u32() + hidden.length)
      content.copy(bytes, reader.at, span.end)
      putGlobalExports(content, hidden)
    }
    out.put(id)
    out.sized(content.length > 0 ? content.written : bytes.subarray(span.start, span.end))
  }
  return out.written.slice()
}
