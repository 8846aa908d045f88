// Finds dirty pages by the marks that a rewritten guest leaves in its table (keepers/wasm/dirty-log): the time
// this takes grows with the pages that are dirty, not with those that there are. A store marks only the page in
// which it begins, and may reach up to 15 bytes into the next: so behind each run of marked pages the first 16
// bytes of the next page are compared with the store.

import { PAGE_BYTES } from '../../shared/guest.ts'
import type { DirtyScheme } from './guest-module.ts'
import type { DirtyPages, GuestPages } from './guest-pages.ts'
import { PageScan } from './page-scan.ts'

const MARKS_PER_WORD = 4
/** The widest store there is. */
const STRADDLE_BYTES = 16

export class PageLog implements DirtyPages {
  find(pages: GuestPages): void {
    const { ram, store, table, known } = pages
    const words = new Uint32Array(table.buffer, 0, table.length / MARKS_PER_WORD)
    for (let page = 0; page < known;) {
      if (page % MARKS_PER_WORD === 0 && words[page / MARKS_PER_WORD] === 0) {
        page += MARKS_PER_WORD
      } else if (table[page] === 0) {
        page++
      } else {
        const end = endOfRun(table, page, known)
        table.fill(0, page, end)
        pages.takeRun(page, end)
        const next = end * PAGE_BYTES
        const straddled = next + STRADDLE_BYTES
        const isReached = end < known && ram.compare(store, next, straddled, next, straddled) !== 0
        if (isReached) pages.take(end)
        page = end + 1
      }
    }
    // Those of pages that are new: they are taken whatever their marks say.
    table.fill(0, known)
  }

  count({ table, known }: GuestPages): number {
    const words = new Uint32Array(table.buffer, 0, Math.ceil(known / MARKS_PER_WORD))
    let marked = 0
    // A mark is 1, so that a word has as many as the sum of its bytes.
    for (const word of words) if (word !== 0) marked += Math.imul(word, 0x01010101) >>> 24
    return marked
  }

  mark(pages: GuestPages, at: number, length: number): void {
    if (length > 0) {
      const last = Math.floor((at + length - 1) / PAGE_BYTES)
      pages.table.fill(1, Math.floor(at / PAGE_BYTES), last + 1)
    }
  }

  clear(pages: GuestPages): void {
    pages.table.fill(0)
  }
}

function endOfRun(table: Uint8Array, from: number, known: number): number {
  let end = from + 1
  while (end < known && table[end] !== 0) end++
  return end
}

/** Thrown when the log is checked and found wanting. */
export class PageMissed extends Error {}

/** The log, and a scan behind it at every checkpoint: a page that the log missed ends the guest. */
export class CheckedPageLog extends PageLog {
  readonly #scan = new PageScan()

  override find(pages: GuestPages): void {
    super.find(pages)
    const missed = this.#scan.differing(pages)
    if (missed >= 0) throw new PageMissed(`the dirty log missed page ${missed}`)
  }
}

const SCHEMES: Readonly<Record<DirtyScheme, () => DirtyPages>> = {
  log: () => new PageLog(),
  scan: () => new PageScan(),
  check: () => new CheckedPageLog(),
}

export const dirtyPagesBy = (scheme: DirtyScheme): DirtyPages => SCHEMES[scheme]()
