// The short way for what a stream mostly consists of: one PAGE_DATA after the other, each without a
// flaw, where nothing but itself has to be judged. Whatever is not so is left to the long way, from
// the record's first byte on.

import { readU32 } from '../../bytes/byte-order.ts'
import { LIBXC } from '../libxc-records.ts'
import { PAGE_BYTES, PFN_WORD_BYTES, RECORD_HEADER_BYTES, pageDataBytes } from '../page-data.ts'
import { defaultLimits } from '../stream-sink.ts'
import { highestPfn, pagesOfCleanWords } from './page-words.ts'
import type { StreamJudge } from './stream-judge.ts'

/** Record header, count, reserved. */
const WORDS_AT = 16
const LENGTH_MAX = defaultLimits.recordBytesMax

export class PageRun {
  readonly #judge: StreamJudge
  readonly #seen: ((pfn: number) => void) | undefined
  /** The record whose pages come in the next chunk. */
  #cut: { readonly offset: number; readonly length: number; readonly count: number } | undefined
  /** Bytes that the last take() took. */
  taken = 0
  /** Bytes of pages that come behind them, in the next chunk. */
  pagesLeft = 0

  /** `seen` is told the highest pfn of each record, when anybody asks. */
  constructor(judge: StreamJudge, seen: ((pfn: number) => void) | undefined) {
    this.#judge = judge
    this.#seen = seen
  }

  /**
   * Takes the records at [at, to) of `chunk` that lie in it up to their pages. `offset` is the byte
   * of the stream at `at`.
   */
  take(chunk: Uint8Array, from: number, to: number, offset: number): void {
    const judge = this.#judge
    const seen = this.#seen
    const { pfnHighest } = judge.order.facts
    const looksAtPfns = pfnHighest !== Infinity || seen !== undefined
    let at = from
    while (to - at > WORDS_AT && readU32(chunk, at) === LIBXC.PAGE_DATA.type) {
      const length = readU32(chunk, at + RECORD_HEADER_BYTES - 4)
      const count = readU32(chunk, at + RECORD_HEADER_BYTES)
      const words = at + WORDS_AT
      const end = words + count * PFN_WORD_BYTES
      if (count === 0 || end > to || readU32(chunk, words - 4) !== 0) break
      const pages = pagesOfCleanWords(chunk, words, count)
      if (pages < 0 || pageDataBytes(count, pages) !== length || length > LENGTH_MAX) break
      if (looksAtPfns) {
        const highest = highestPfn(chunk, words, count)
        if (highest > pfnHighest) break
        seen?.(highest)
      }
      const start = offset + at - from
      judge.beganPages()
      at = end + pages * PAGE_BYTES
      if (at > to) {
        this.#cut = { offset: start, length, count }
        break
      }
      judge.passedPages(start, length, count)
    }
    this.pagesLeft = Math.max(0, at - to)
    this.taken = Math.min(at, to) - from
  }

  /** What was skipped last is behind, be it the pages that were left or something else. */
  skipped(): void {
    if (this.#cut === undefined) return
    const { offset, length, count } = this.#cut
    this.#cut = undefined
    this.#judge.passedPages(offset, length, count)
  }
}
