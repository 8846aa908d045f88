// The first part of a packed block (RFC 8878, section 3.1.1.3.1): bytes that its sequences take from, as they are,
// one byte again and again, or in Huffman codes, by a new table or the one before.

import { readHuffmanStream, readHuffmanTable, type HuffmanTable } from './huffman-table.ts'
import type { PaddedInput } from './padded-input.ts'

/** A block is never larger, packed or not. */
export const BLOCK_BYTES_MAX = 128 * 1024

const RAW = 0
const REPEATED = 1
const PACKED = 2
const JUMPS_BYTES = 6

interface Head {
  readonly bytes: number
  readonly packedBytes: number
  readonly streams: 1 | 4
  readonly length: number
}

/** Bytes of the literals' sizes: those of one size, those of two. */
const PLAIN_HEADS = [
  { length: 1, shift: 3, bits: 5 },
  { length: 2, shift: 4, bits: 12 },
  { length: 1, shift: 3, bits: 5 },
  { length: 3, shift: 4, bits: 20 },
] as const
const PACKED_HEADS = [
  { length: 3, bits: 10, streams: 1 },
  { length: 3, bits: 10, streams: 4 },
  { length: 4, bits: 14, streams: 4 },
  { length: 5, bits: 18, streams: 4 },
] as const

export class Literals {
  #table: HuffmanTable | undefined
  readonly #own = new Uint8Array(BLOCK_BYTES_MAX)
  /** The literals of the block under way lie in `bytes`, from `start` up to `end`. */
  bytes = this.#own
  start = 0
  end = 0

  /** Of another frame. */
  forget(): void {
    this.#table = undefined
  }

  /** Reads the literals of a block in [at, end); returns where they end. Raises ZstdError. */
  read(input: PaddedInput, at: number, end: number): number {
    const kind = input.bytes[at] & 3
    const head = this.#head(input, at, kind)
    const from = at + head.length
    const next = from + head.packedBytes
    if (head.bytes > BLOCK_BYTES_MAX) input.refuse(at, `${head.bytes} literals, more than a block`)
    if (next > end) input.refuse(at, 'literals that go beyond their block')
    this.bytes = kind === RAW ? input.bytes : this.#own
    this.start = kind === RAW ? from : 0
    this.end = this.start + head.bytes
    if (kind === REPEATED) this.#own.fill(input.bytes[from], 0, head.bytes)
    if (kind >= PACKED) this.#unpack(input, head, [from, next], kind === PACKED)
    return next
  }

  #head({ view, bytes }: PaddedInput, at: number, kind: number): Head {
    const size = (bytes[at] >> 2) & 3
    if (kind < PACKED) {
      const { length, shift, bits } = PLAIN_HEADS[size]
      const count = (view.getUint32(at, true) >>> shift) & ((1 << bits) - 1)
      return { bytes: count, packedBytes: kind === RAW ? count : 1, streams: 1, length }
    }
    const { length, bits, streams } = PACKED_HEADS[size]
    const mask = (1 << bits) - 1
    const count = (view.getUint32(at, true) >>> 4) & mask
    const place = 4 + bits
    const packedBytes = (view.getUint32(at + (place >> 3), true) >>> (place & 7)) & mask
    return { bytes: count, packedBytes, streams, length }
  }

  #unpack(
    input: PaddedInput,
    { bytes, streams }: Head,
    [at, end]: readonly [number, number],
    hasTable: boolean,
  ): void {
    let from = at
    if (hasTable) {
      const { table, next } = readHuffmanTable(input, at, end)
      this.#table = table
      from = next
    }
    const table = this.#table ?? input.refuse(at, 'literals by the table before, but there is none')
    if (streams === 1) {
      readHuffmanStream(input, table, [from, end], this.#own, [0, bytes])
      return
    }
    const quarter = (bytes + 3) >> 2
    if (from + JUMPS_BYTES > end || 3 * quarter > bytes) {
      input.refuse(at, 'literals too few for four streams')
    }
    let start = from + JUMPS_BYTES
    for (let i = 0; i < 4; i++) {
      const stop = i < 3 ? start + input.view.getUint16(from + 2 * i, true) : end
      if (stop > end) input.refuse(from, 'a stream of Huffman codes that goes beyond its block')
      const to = [i * quarter, i < 3 ? (i + 1) * quarter : bytes] as const
      readHuffmanStream(input, table, [start, stop], this.#own, to)
      start = stop
    }
  }
}
