// The bytes under decoding, with a margin of zeros on both sides. Bits are read four bytes at a time, and backward
// at that; with a margin no read needs to ask whether it leaves the data: that is asked once, behind it.

import { ZstdError } from './zstd-error.ts'

/** More than what the longest run of reads between two checks goes too far. */
export const MARGIN_BYTES = 32

const BITS_OF_BYTE = 8

export class PaddedInput {
  bytes = new Uint8Array(2 * MARGIN_BYTES)
  view = new DataView(this.bytes.buffer)

  /** Copies the bytes in; they begin at MARGIN_BYTES. Returns where they end. */
  load(data: Uint8Array): number {
    const end = MARGIN_BYTES + data.length
    if (end + MARGIN_BYTES > this.bytes.length) {
      this.bytes = new Uint8Array(2 * (end + MARGIN_BYTES))
      this.view = new DataView(this.bytes.buffer)
    }
    this.bytes.set(data, MARGIN_BYTES)
    this.bytes.fill(0, end, end + MARGIN_BYTES)
    return end
  }

  /**
   * Where reading of a backward bit stream in [start, end) begins: the place, in bits from the buffer's first, of the
   * mark that stands above its last bit. Raises ZstdError.
   */
  markOf(start: number, end: number): number {
    const last = end > start ? this.bytes[end - 1] : 0
    if (last === 0) this.refuse(end - 1, 'a stream of bits does not end with the mark of its end')
    return (end - 1) * BITS_OF_BYTE + highBit(last)
  }

  /** `at` is a place in the buffer. */
  refuse(at: number, rule: string): never {
    throw new ZstdError(at - MARGIN_BYTES, rule)
  }
}

/** The number of the highest bit that is set; -1 for 0. */
export const highBit = (value: number) => 31 - Math.clz32(value)
