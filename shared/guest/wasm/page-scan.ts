// Finds the pages of a guest's memory that differ from the page store, and brings the store level with them:
// the pause is this and little else. Page by page with memcmp, because a guest's memory can't be told to keep
// track of itself; docs/guests.md says what it costs. One view a page is made when the memory is (re)sized and
// used ever after, so that a capture allocates nothing for a page.

import { LIMITS } from '../../protocol/limits.ts'
import { PAGE_BYTES } from '../contract.ts'

/** As many as one record holds, so that each word of progress lets one be sent. */
const PROGRESS_PAGES = LIMITS.recordPages
/**
 * Sending while the guest stands still shortens a large checkpoint, but takes memory bandwidth and cores from
 * the scan: below so many pages the pause would pay more than the checkpoint gains.
 */
const PROGRESS_FROM_PAGES = 4096
const ZERO_PAGE = Buffer.alloc(PAGE_BYTES)

export class PageScan {
  readonly #store: Buffer
  readonly #pfns: Uint32Array
  #ram = Buffer.alloc(0)
  #pages: Buffer[] = []
  #grownFrom = 0

  /** `store` is at least as large as the guest may become; `pfns` has room for each of its pages. */
  constructor(store: SharedArrayBuffer, pfns: SharedArrayBuffer) {
    this.#store = Buffer.from(store)
    this.#pfns = new Uint32Array(pfns)
  }

  get kernel(): string {
    return 'scan (memcmp against the shadow)'
  }

  /** The guest's memory is this now: at its start, and after it has grown. */
  attach(memory: ArrayBuffer): void {
    const before = this.#pages.length
    this.#ram = Buffer.from(memory)
    this.#pages = []
    for (let at = 0; at < memory.byteLength; at += PAGE_BYTES) {
      this.#pages.push(Buffer.from(memory, at, PAGE_BYTES))
    }
    this.#grownFrom = Math.min(this.#grownFrom, before)
  }

  /** All of memory from the store: a guest that goes on elsewhere. */
  restore(): void {
    this.#ram.set(this.#store.subarray(0, this.#ram.length))
    this.#grownFrom = this.#pages.length
  }

  /** Notes and copies every page that is not zero. Returns how many; `progress` hears of them in between. */
  all(progress: (pages: number) => void): number {
    const store = this.#store
    const pages = this.#pages
    let noted = 0
    for (let page = 0; page < pages.length; page++) {
      const at = page * PAGE_BYTES
      store.set(pages[page], at)
      if (!pages[page].equals(ZERO_PAGE)) noted = this.#note(page, noted, progress, 0)
    }
    this.#grownFrom = pages.length
    return noted
  }

  /** Notes and copies every page that differs from the store, or is new. Returns how many, as all(). */
  dirty(progress: (pages: number) => void): number {
    const ram = this.#ram
    const store = this.#store
    const pages = this.#pages
    const known = Math.min(this.#grownFrom, pages.length)
    let noted = 0
    for (let page = 0, at = 0; page < known; page++, at += PAGE_BYTES) {
      const end = at + PAGE_BYTES
      if (ram.compare(store, at, end, at, end) === 0) continue
      store.set(pages[page], at)
      noted = this.#note(page, noted, progress)
    }
    for (let page = known; page < pages.length; page++) {
      store.set(pages[page], page * PAGE_BYTES)
      noted = this.#note(page, noted, progress)
    }
    this.#grownFrom = pages.length
    return noted
  }

  #note(
    page: number,
    noted: number,
    progress: (pages: number) => void,
    from = PROGRESS_FROM_PAGES,
  ): number {
    this.#pfns[noted] = page
    const now = noted + 1
    if (now >= from && now % PROGRESS_PAGES === 0) progress(now)
    return now
  }
}
