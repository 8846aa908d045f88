// Pfn words judged as they stream by, in any number at a time: their types, their reserved bits, how
// many pages they announce, and the highest pfn. Runs once a page: bytes in place, no objects.

import { PFN_WORD_BYTES, carriesPage } from '../page-data.ts'

/** The pfn of the word at `at`, without its type and the reserved bits. */
export function pfnOf(bytes: Uint8Array, at: number): number {
  const low = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)
  const high = bytes[at + 4] | (bytes[at + 5] << 8) | ((bytes[at + 6] & 0xf) << 16)
  return high * 0x1_0000_0000 + ((low | (bytes[at + 3] << 24)) >>> 0)
}

const PAGE = 1
const RESERVED_TYPE = 2
const RESERVED_BITS = 4

/** What byte 7 of a word says, which holds the page type and the reserved bits 59 to 56. */
const byTopByte = Uint8Array.from({ length: 256 }, (_, top) => {
  const type = top >>> 4
  if (type >= 5 && type <= 8) return RESERVED_TYPE | (top & 0xf ? RESERVED_BITS : 0)
  return (carriesPage(type) ? PAGE : 0) | (top & 0xf ? RESERVED_BITS : 0)
})

/**
 * The pages that `count` words at `at` announce, or -1 when one of them has a reserved type or
 * reserved bits: then they are to be looked at one by one.
 */
export function pagesOfCleanWords(bytes: Uint8Array, at: number, count: number): number {
  let pages = 0
  let flags = 0
  let bits = 0
  const end = at + count * PFN_WORD_BYTES
  for (let word = at; word < end; word += PFN_WORD_BYTES) {
    const top = byTopByte[bytes[word + 7]]
    pages += top & PAGE
    flags |= top
    bits |= bytes[word + 6]
  }
  return (flags & (RESERVED_TYPE | RESERVED_BITS)) === 0 && (bits & 0xf0) === 0 ? pages : -1
}

/** Whether a page follows the word at `at`, and what of it is reserved. */
export function judgeWord(
  bytes: Uint8Array,
  at: number,
): { readonly hasPage: boolean; readonly badType: boolean; readonly badBits: boolean } {
  const top = byTopByte[bytes[at + 7]]
  return {
    hasPage: (top & PAGE) !== 0,
    badType: (top & RESERVED_TYPE) !== 0,
    badBits: (top & RESERVED_BITS) !== 0 || (bytes[at + 6] & 0xf0) !== 0,
  }
}

/** The highest pfn of `count` words at `at`. */
export function highestPfn(bytes: Uint8Array, at: number, count: number): number {
  let highest = 0
  for (let index = 0; index < count; index++) {
    const pfn = pfnOf(bytes, at + index * PFN_WORD_BYTES)
    if (pfn > highest) highest = pfn
  }
  return highest
}
