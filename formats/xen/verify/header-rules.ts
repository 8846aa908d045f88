// What a verifier wants of headers beyond what a reader does: that reserved bits are zero, and that
// the domain header can be read in either endianness.

import { readU16, readU16BigEndian, readU32BigEndian } from '../../bytes/byte-order.ts'
import type { Place } from '../record-spec.ts'

/** A reserved field of a header that is not zero; `at` is its offset in the header. */
export interface ReservedFlaw {
  readonly at: number
  readonly rule: string
  readonly found: string
}

interface ReservedRule {
  readonly at: number
  readonly rule: string
  read(bytes: Uint8Array, at: number): number
}

const LIBXL_RESERVED = 0xfffffffc
const IMAGE_RESERVED = 0xfffe

const rules: { readonly [At in Place]?: readonly ReservedRule[] } = {
  'libxl header': [
    {
      at: 12,
      rule: 'bits 2 to 31 of the options must be zero',
      read: (bytes, at) => (readU32BigEndian(bytes, at) & LIBXL_RESERVED) >>> 0,
    },
  ],
  'image header': [
    {
      at: 16,
      rule: 'bits 1 to 15 of the options must be zero',
      read: (bytes, at) => readU16BigEndian(bytes, at) & IMAGE_RESERVED,
    },
    { at: 18, rule: 'the reserved u16 must be zero', read: readU16BigEndian },
    { at: 20, rule: 'the reserved u32 must be zero', read: readU32BigEndian },
  ],
  'domain header': [{ at: 6, rule: 'the reserved u16 must be zero', read: readU16 }],
}

/** The reserved fields that are not zero in the header at `at`. */
export function reservedFlaws(place: Place, bytes: Uint8Array, at: number): ReservedFlaw[] {
  return (rules[place] ?? []).flatMap((one) => {
    const value = one.read(bytes, at + one.at)
    if (value === 0) return []
    return [{ at: one.at, rule: one.rule, found: `0x${value.toString(16)}` }]
  })
}

const DOMAIN_FIELDS = [4, 2, 2, 4, 4]

/** A big-endian domain header as a little-endian one. */
export function swappedDomainHeader(bytes: Uint8Array, at: number): Uint8Array {
  const length = DOMAIN_FIELDS.reduce((sum, size) => sum + size, 0)
  const swapped = bytes.slice(at, at + length)
  let offset = 0
  for (const size of DOMAIN_FIELDS) {
    swapped.subarray(offset, offset + size).reverse()
    offset += size
  }
  return swapped
}

/** Whether what is wrong with a header leaves no doubt about what follows it. */
export function canGoOn(place: Place, at: number): boolean {
  return place === 'domain header' || (place === 'xl header' && at === 36)
}
