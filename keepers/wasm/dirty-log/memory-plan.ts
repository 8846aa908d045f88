// How large the table is, and how large the guest may become beside it.

import { Refusal } from '../../../formats/wasm/byte-reader.ts'
import { PAGE_SHIFT } from './function-body.ts'
import { WASM_PAGE_BYTES } from '../../../formats/wasm/module-numbers.ts'
import { isShared, type ModuleLayout } from '../../../formats/wasm/module-layout.ts'

/** 64 KiB of table for so many bytes of guest memory: a byte for each 4 KiB. */
const BYTES_PER_TABLE_PAGE = WASM_PAGE_BYTES << PAGE_SHIFT
/**
 * The most memory a rewritten module may have, in WebAssembly pages. One page less than there can be: so the
 * last address is never in memory, and whatever would pass 2^32 once it is moved up can be given that address,
 * and traps as it did.
 */
const TOTAL_PAGES_MAX = 65535

export interface MemoryPlan {
  readonly tablePages: number
  /** Pages of the guest, without the table. */
  readonly guestPagesMax: number
}

/** @throws Refusal of memory that can't have a table */
export function planMemory(layout: ModuleLayout, maxMemoryBytes = Infinity): MemoryPlan {
  const { memories } = layout
  if (memories.length === 0) throw new Refusal('no memory')
  if (memories.length > 1) throw new Refusal('several memories')
  const { limits } = memories[0]
  if (isShared(limits)) throw new Refusal('shared memory')
  const wished = Math.min(limits.max ?? Infinity, Math.floor(maxMemoryBytes / WASM_PAGE_BYTES))
  const pages = Math.min(wished, TOTAL_PAGES_MAX)
  const tablePages = Math.max(1, Math.ceil((pages * WASM_PAGE_BYTES) / BYTES_PER_TABLE_PAGE))
  const guestPagesMax = Math.min(pages, TOTAL_PAGES_MAX - tablePages)
  if (limits.min > guestPagesMax) {
    throw new Refusal(
      `a memory that begins with ${limits.min} WebAssembly pages, where at most ${guestPagesMax} may be`,
    )
  }
  return { tablePages, guestPagesMax }
}
