// What comes behind the fixed fields of a body, judged while it streams by: the elements of a list,
// a payload, pfn words. A body of 128 MiB takes no more memory so than one of 8 bytes.

import { PFN_WORD_BYTES, pageDataBytes } from '../page-data.ts'
import type { ItemRule, PayloadScan, StreamFacts } from '../record-spec.ts'
import type { FindingCode, Severity } from './finding.ts'
import { highestPfn, judgeWord, pagesOfCleanWords, pfnOf } from './page-words.ts'

/** `at` is the offending byte, from the start of the record; `found` what is there. */
export type Report = (
  severity: Severity,
  code: FindingCode,
  at: number,
  rule: string,
  found?: string,
) => void

export interface TailJudge {
  /** take() is given whole elements of this size. */
  readonly itemBytes: number
  /** The next `count` elements, from `at` on. */
  take(bytes: Uint8Array, at: number, count: number): void
  /** The tail is whole. */
  end(): void
}

/** A list with a rule for its elements; `from` is where it begins in the record. */
export function judgeItems(
  report: Report,
  from: number,
  itemBytes: number,
  item: ItemRule,
): TailJudge {
  let next = from
  const take = (bytes: Uint8Array, at: number, count: number) => {
    for (let index = 0; index < count; index++) {
      if (!item.holds(bytes, at + index * itemBytes)) report('error', 'bad-value', next, item.rule)
      next += itemBytes
    }
  }
  return { itemBytes, take, end: () => {} }
}

export function judgePayload(report: Report, from: number, scan: PayloadScan): TailJudge {
  const end = () => {
    const flaw = scan.finish()
    if (flaw !== undefined) report('error', 'bad-value', from + flaw.at, flaw.rule)
  }
  return { itemBytes: 1, take: (bytes, at, count) => scan.push(bytes, at, at + count), end }
}

/** `count` words as they are in little-endian. */
export function swappedWords(bytes: Uint8Array, at: number, count: number): Uint8Array {
  const words = bytes.slice(at, at + count * PFN_WORD_BYTES)
  for (let word = 0; word < words.length; word += PFN_WORD_BYTES) {
    words.subarray(word, word + PFN_WORD_BYTES).reverse()
  }
  return words
}

export interface PageWordsOf {
  readonly report: Report
  readonly facts: StreamFacts
  /** Where the words begin in the record. */
  readonly from: number
  readonly count: number
  /** The body_length of the record. */
  readonly length: number
  readonly bigEndian: boolean
  /** Told the highest pfn; undefined when nobody asks. */
  readonly seen: ((pfn: number) => void) | undefined
}

/** The pfn words of a PAGE_DATA. */
export function judgePageWords(of: PageWordsOf): TailJudge {
  const { report, facts } = of
  let next = of.from
  let pages = 0

  const judgeWords = (bytes: Uint8Array, at: number, count: number) => {
    const { pfnHighest } = facts
    for (let index = 0; index < count; index++) {
      const word = at + index * PFN_WORD_BYTES
      const offset = next + index * PFN_WORD_BYTES
      const { hasPage, badType, badBits } = judgeWord(bytes, word)
      if (hasPage) pages++
      if (badType) report('error', 'bad-page-type', offset, 'page types 5 to 8 are reserved')
      if (badBits) report('sender', 'reserved', offset, 'bits 59 to 52 of a pfn word must be zero')
      const pfn = pfnOf(bytes, word)
      if (pfn <= pfnHighest) continue
      const rule = `the pfn lies beyond ${pfnHighest}, the last in X86_PV_P2M_FRAMES`
      report('error', 'bad-value', offset, rule, `0x${pfn.toString(16)}`)
    }
  }

  const take = (bytes: Uint8Array, at: number, count: number) => {
    if (of.bigEndian) {
      bytes = swappedWords(bytes, at, count)
      at = 0
    }
    const looksAtPfns = facts.pfnHighest !== Infinity || of.seen !== undefined
    const highest = looksAtPfns ? highestPfn(bytes, at, count) : 0
    of.seen?.(highest)
    const clean = pagesOfCleanWords(bytes, at, count)
    if (clean >= 0 && highest <= facts.pfnHighest) pages += clean
    else judgeWords(bytes, at, count)
    next += count * PFN_WORD_BYTES
  }

  const end = () => {
    const due = pageDataBytes(of.count, pages)
    if (due === of.length) return
    const rule = `${of.count} pfns, ${pages} pages take a body_length of ${due}`
    report('error', 'bad-length', 4, rule, String(of.length))
  }

  return { itemBytes: PFN_WORD_BYTES, take, end }
}

/**
 * The words of a CHECKPOINT_DIRTY_PFN_LIST, none of which may lie beyond `highest`: Infinity when
 * it is not known what the guest has.
 */
export function judgeDirtyWords(
  report: Report,
  from: number,
  bigEndian: boolean,
  highest: number,
): TailJudge {
  let next = from
  const take = (bytes: Uint8Array, at: number, count: number) => {
    if (bigEndian) {
      bytes = swappedWords(bytes, at, count)
      at = 0
    }
    for (let index = 0; index < count; index++) {
      const word = at + index * PFN_WORD_BYTES
      const pfn = pfnOf(bytes, word)
      const offset = next + index * PFN_WORD_BYTES
      if (bytes[word + 7] !== 0 || (bytes[word + 6] & 0xf0) !== 0) {
        report('error', 'bad-value', offset, 'a pfn is below 2^52, and has no type here')
      } else if (pfn > highest) {
        const rule = `the guest has no page beyond ${highest}, the highest of the forward stream`
        report('error', 'out-of-step', offset, rule, `0x${pfn.toString(16)}`)
      }
    }
    next += count * PFN_WORD_BYTES
  }
  return { itemBytes: PFN_WORD_BYTES, take, end: () => {} }
}
