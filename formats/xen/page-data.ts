// PAGE_DATA from the inside: u32 count, u32 reserved, u64 pfn[count], then 4096 bytes for each pfn
// whose type carries data. A pfn word holds the type in bits 63-60, reserved bits in 59-52, the pfn
// in 51-0. All of this runs once a page: it works on bytes in place, and 52 bits fit a number, so
// no BigInt is made.

import { readU32, roundUp8 } from '../bytes/byte-order.ts'

export const PAGE_BYTES = 4096
/** type and body_length. */
export const RECORD_HEADER_BYTES = 8
/** count and reserved. */
export const PAGE_DATA_HEADER_BYTES = 8
export const PFN_WORD_BYTES = 8

/**
 * Page types: bits 63-60 of a pfn word. L1TAB to L4TAB are 1 to 4, pinned 9 to 12; 5 to 8 are
 * reserved.
 */
export const PAGE_TYPE = {
  NOTAB: 0x0,
  L1TAB: 0x1,
  L4TAB: 0x4,
  L1TAB_PINNED: 0x9,
  L4TAB_PINNED: 0xc,
  BROKEN: 0xd,
  XALLOC: 0xe,
  XTAB: 0xf,
} as const

const RESERVED = 2
/**
 * A digit for each page type, 0 first: 1 when a page follows, 0 when none does, 2 when it is
 * reserved.
 */
const pagesByType = Uint8Array.from('1111122221111000', Number)

/** The pfn of word `index`, reserved bits masked off. `words` are little-endian u64. */
export function pfnOf(words: Uint8Array, index: number): number {
  const at = index * PFN_WORD_BYTES
  const low = words[at] | (words[at + 1] << 8) | (words[at + 2] << 16)
  const high = words[at + 4] | (words[at + 5] << 8) | ((words[at + 6] & 0xf) << 16)
  return high * 0x1_0000_0000 + ((low | (words[at + 3] << 24)) >>> 0)
}

/** The page type of word `index`, 0 to 15: one of PAGE_TYPE. */
export function pageTypeOf(words: Uint8Array, index: number): number {
  return words[index * PFN_WORD_BYTES + 7] >>> 4
}

/** The pfn of word `index`; -1 if it has more than a pfn: another page type than NOTAB, or a reserved bit. */
export function plainPfnOf(words: Uint8Array, index: number): number {
  const at = index * PFN_WORD_BYTES
  return words[at + 7] === 0 && words[at + 6] < 0x10 ? pfnOf(words, index) : -1
}

/** Whether a page follows for a word of this type. Reserved types carry none. */
export function carriesPage(pageType: number): boolean {
  return pagesByType[pageType] === 1
}

/** How many of the words carry a page; the negative -1 - i when word i has a reserved type. */
export function countDataPages(words: Uint8Array, count: number): number {
  let pages = 0
  const end = count * PFN_WORD_BYTES
  for (let at = 7; at < end; at += PFN_WORD_BYTES) {
    const carried = pagesByType[words[at] >>> 4]
    if (carried === RESERVED) return -1 - (at - 7) / PFN_WORD_BYTES
    pages += carried
  }
  return pages
}

/** The index of the first word whose pfn exceeds `highest`, or -1; Infinity costs nothing. */
export function findPfnBeyond(words: Uint8Array, count: number, highest: number): number {
  if (highest === Infinity) return -1
  for (let index = 0; index < count; index++) {
    if (pfnOf(words, index) > highest) return index
  }
  return -1
}

/**
 * body_length in bytes of a PAGE_DATA of `count` pfns, of which `dataPages` carry a page. No
 * padding follows.
 */
export function pageDataBytes(count: number, dataPages: number): number {
  return PAGE_DATA_HEADER_BYTES + count * PFN_WORD_BYTES + dataPages * PAGE_BYTES
}

/** What a record takes in the stream: header, body and padding, in bytes. */
export function recordBytes(length: number): number {
  return RECORD_HEADER_BYTES + roundUp8(length)
}

/** Writes the 8 bytes of a record header at `at`. Returns the offset of its body. */
export function writeRecordHeader(
  view: DataView,
  at: number,
  type: number,
  length: number,
): number {
  view.setUint32(at, type, true)
  view.setUint32(at + 4, length, true)
  return at + RECORD_HEADER_BYTES
}

/**
 * Writes the 16 bytes ahead of the pfn words: record header, count, reserved. `count` words go to
 * the returned offset with writePfn, then `dataPages` pages. The length must fit 32 bits: keep a
 * record to 1024 pfns, as Xen does.
 */
export function writePageDataHeader(
  view: DataView,
  at: number,
  count: number,
  dataPages = count,
): number {
  const body = writeRecordHeader(view, at, 0x1, pageDataBytes(count, dataPages))
  view.setUint32(body, count, true)
  view.setUint32(body + 4, 0, true)
  return body + PAGE_DATA_HEADER_BYTES
}

/**
 * Writes one pfn word. `pfn` is below 2^52; `pageType` one of PAGE_TYPE. Returns the offset behind
 * it.
 */
export function writePfn(view: DataView, at: number, pfn: number, pageType = 0): number {
  const high = Math.floor(pfn / 0x1_0000_0000)
  view.setUint32(at, pfn - high * 0x1_0000_0000, true)
  view.setUint32(at + 4, (high | (pageType << 28)) >>> 0, true)
  return at + PFN_WORD_BYTES
}

/** The body of a whole record, without its padding. */
export function bodyOf(record: Uint8Array): Uint8Array {
  return record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + readU32(record, 4))
}
