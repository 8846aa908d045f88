// Numbers on a command line that speak of bytes in files.

import { parseSize } from './units.ts'

const PAGE_BYTES_MIN = 1024
const PAGE_BYTES_MAX = 65_536

/** In decimal, or in hexadecimal behind 0x. Throws with what it expects. */
export function wholeNumber(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new Error(`${JSON.stringify(text)} is no whole number, in decimal or behind 0x`)
}

/** The size of a page of some target, also behind 0x. Throws with what it expects. */
export function pageSize(text: string): number {
  const value = text.startsWith('0x') ? wholeNumber(text) : parseSize(text)
  if (value >= PAGE_BYTES_MIN && value <= PAGE_BYTES_MAX && Number.isInteger(Math.log2(value))) {
    return value
  }
  throw new Error(
    `a page has a power of 2 from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX} bytes: write 4096 or 4k`,
  )
}
