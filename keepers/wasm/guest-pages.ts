// The guest's memory page by page, beside the page store: what a capture takes is copied into the store and
// noted by its pfn. One view a page is made when the memory is (re)sized and used ever after, so that a capture
// allocates nothing for a page. Which pages are dirty is found by others (page-scan.ts, page-log.ts).

import { LIMITS } from '../../shared/protocol/limits.ts'
import { PAGE_BYTES } from '../../shared/guest.ts'
import { WebAssembly } from '../../shared/memory/webassembly.ts'

/** As many as one record holds, so that each word of progress lets one be sent. */
const PROGRESS_PAGES = LIMITS.recordPages
/**
 * Sending while the guest stands still shortens a large checkpoint, but takes memory bandwidth and cores from
 * the capture: below so many pages the pause would pay more than the checkpoint gains.
 */
const PROGRESS_FROM_PAGES = 4096
/** Longer runs are worth a view of their own. */
const SHORT_RUN_PAGES = 8
const ZERO_PAGE = Buffer.alloc(PAGE_BYTES)
const WORDS_PER_PAGE = PAGE_BYTES / 4

export type Progress = (pages: number) => void

/** How the dirty pages of a guest are found. `pages` must have been attached first. */
export interface DirtyPages {
  /** Takes every page that has changed since it was taken last. */
  find(pages: GuestPages): void
  /** How many known pages have changed, if that can be told without looking at them; else 0. */
  count(pages: GuestPages): number
  /** The host itself wrote `length` bytes at the guest's address `at`. */
  mark(pages: GuestPages, at: number, length: number): void
  /** Memory and store are the same now. */
  clear(pages: GuestPages): void
}

export class GuestPages {
  readonly store: Buffer
  /** Bytes at the start of the WebAssembly memory that are not the guest's. */
  readonly tableBytes: number
  /** The guest's memory. */
  ram = Buffer.alloc(0)
  /** The dirty log's table, below it. */
  table = new Uint8Array(0)
  readonly #pfns: Uint32Array
  readonly #dirty: DirtyPages
  #pages: Buffer[] = []
  #words = new Uint32Array(0)
  #grownFrom = 0
  #noted = 0
  #progress: Progress = () => {}
  #progressFrom = 0

  /** `store` is at least as large as the guest may become; `pfns` has room for each of its pages. */
  constructor(
    store: SharedArrayBuffer,
    pfns: SharedArrayBuffer,
    tableBytes: number,
    dirty: DirtyPages,
  ) {
    this.store = Buffer.from(store)
    this.#pfns = new Uint32Array(pfns)
    this.tableBytes = tableBytes
    this.#dirty = dirty
  }

  /** Pages that were there at the last capture: those behind them are new. */
  get known(): number {
    return this.#grownFrom
  }

  /** The guest's memory is this now: at its start, and after it has grown. */
  attach(memory: ArrayBuffer): void {
    const before = this.#pages.length
    this.table = new Uint8Array(memory, 0, this.tableBytes)
    this.ram = Buffer.from(memory, this.tableBytes)
    this.#words = new Uint32Array(memory, this.tableBytes)
    this.#pages = []
    for (let at = this.tableBytes; at < memory.byteLength; at += PAGE_BYTES) {
      this.#pages.push(Buffer.from(memory, at, PAGE_BYTES))
    }
    this.#grownFrom = Math.min(this.#grownFrom, before)
  }

  /** All of memory from the store: a guest that goes on elsewhere. */
  restore(): void {
    this.ram.set(this.store.subarray(0, this.ram.length))
    this.#grownFrom = this.#pages.length
    this.#dirty.clear(this)
  }

  /** Pages that are new or have changed since the last capture, as far as somebody keeps count. */
  get dirtyCount(): number {
    return this.#pages.length - this.#grownFrom + this.#dirty.count(this)
  }

  /**
   * Bytes of the guest's own memory, for the host to read. If they are not all in it, this is a trap, as a load of
   * the guest itself would be; `what` named them.
   */
  read(at: number, length: number, what = 'the host'): Uint8Array {
    const bytes = this.ram.length
    if (at + length > bytes) {
      throw new WebAssembly.RuntimeError(
        `${what}: ${length} bytes at ${at} are out of bounds, the guest has ${bytes} bytes of memory`,
      )
    }
    return new Uint8Array(this.ram.buffer, this.tableBytes + at, length)
  }

  /** The host writes into the guest's memory, or this is a trap, as in read(). */
  write(at: number, bytes: Uint8Array, what?: string): void {
    this.read(at, bytes.length, what).set(bytes)
    this.#dirty.mark(this, at, bytes.length)
  }

  /**
   * Notes every page that is not zero. Only those that have changed since the last capture, whoever it was for,
   * need be copied. Returns how many; `progress` hears of them in between.
   */
  captureAll(progress: Progress): number {
    this.#begin(progress, Number.POSITIVE_INFINITY)
    this.#takeChanged()
    this.#begin(progress, 0)
    for (let page = 0; page < this.#pages.length; page++) {
      if (!this.#isZero(page)) this.#note(page)
    }
    return this.#noted
  }

  /** Copies and notes every page that has changed, or is new. Returns how many, as captureAll(). */
  captureDirty(progress: Progress): number {
    this.#begin(progress, PROGRESS_FROM_PAGES)
    this.#takeChanged()
    return this.#noted
  }

  /** Copies and notes one page. */
  take(page: number): void {
    this.store.set(this.#pages[page], page * PAGE_BYTES)
    this.#note(page)
  }

  /** Copies and notes the pages from `first` to before `end`. */
  takeRun(first: number, end: number): void {
    if (end - first <= SHORT_RUN_PAGES) {
      for (let page = first; page < end; page++) this.take(page)
      return
    }
    const at = first * PAGE_BYTES
    this.store.set(this.ram.subarray(at, end * PAGE_BYTES), at)
    for (let page = first; page < end; page++) this.#note(page)
  }

  #begin(progress: Progress, from: number): void {
    this.#noted = 0
    this.#progress = progress
    this.#progressFrom = from
  }

  #note(page: number): void {
    this.#pfns[this.#noted] = page
    const noted = ++this.#noted
    if (noted % PROGRESS_PAGES === 0 && noted >= this.#progressFrom) this.#progress(noted)
  }

  #takeChanged(): void {
    this.#dirty.find(this)
    this.takeRun(this.#grownFrom, this.#pages.length)
    this.#grownFrom = this.#pages.length
  }

  /** Most pages that are not zero do not begin with zeros. */
  #isZero(page: number): boolean {
    return this.#words[page * WORDS_PER_PAGE] === 0 && this.#pages[page].equals(ZERO_PAGE)
  }
}
