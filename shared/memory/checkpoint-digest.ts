// A digest of one checkpoint: its pages with their pfns, in the order of the stream, and the bytes of its states
// and of our own header. The primary computes it from what it sends and the secondary from what it received,
// each a record at a time, while the pages are still in the cache; they are compared before the commit.
//
// It finds what TCP's checksum of 16 bits misses: bits flipped by a network card, a middlebox or memory, pages
// exchanged, lost, doubled or written from a wrong place. One flipped bit is found for certain, whatever else is
// in the checkpoint: every step from there to both halves of the digest is a bijection (see page-mix.ts). Other
// damage is missed once in 2^64. It is no defence against somebody who means to deceive: the token is.
//
// Two chains, one for each half, take the bodies of the other records as words of 32 bits, behind their type and
// length. Where each ends, the fold of the pages begins.

import type { Digest } from '../protocol/emulator-blob.ts'
import { step, type PageMix } from './page-mix.ts'

const FACTORS = { low: 0x85ebca6b, high: 0xc2b2ae35 } as const
const STARTS = { low: 0x243f6a89, high: 0x13198a2f } as const

export class CheckpointDigest {
  readonly #mix: PageMix
  #low = 0
  #high = 0
  #pages = 0

  constructor(mix: PageMix) {
    this.#mix = mix
    this.begin()
  }

  /** Another checkpoint. */
  begin(): void {
    this.#mix.begin()
    this.#low = STARTS.low
    this.#high = STARTS.high
    this.#pages = 0
  }

  /** Pages [pfn, pfn + count), which lie from offset `at` on. */
  pages(pfn: number, count: number, at: number): void {
    this.#mix.pages(at, pfn, count)
    this.#pages += count
  }

  /** One page, which is copied from offset `from` to offset `to`. */
  copy(pfn: number, from: number, to: number): void {
    this.#mix.copy(from, pfn, to)
    this.#pages++
  }

  /** The body of another record, or a part of it. */
  record(type: number, body: Uint8Array, from = 0, to = body.length): void {
    this.#word(type)
    this.#word(to - from)
    const whole = to - ((to - from) % 4)
    for (let i = from; i < whole; i += 4) {
      this.#word(body[i] | (body[i + 1] << 8) | (body[i + 2] << 16) | (body[i + 3] << 24))
    }
    let rest = 0
    for (let i = to - 1; i >= whole; i--) rest = (rest << 8) | body[i]
    if (whole < to) this.#word(rest)
  }

  /** Of the checkpoint, once it is whole. */
  end(): Digest {
    this.#word(this.#pages)
    return {
      low: this.#mix.fold(this.#low, FACTORS.low) >>> 0,
      high: this.#mix.fold(this.#high, FACTORS.high) >>> 0,
    }
  }

  #word(word: number): void {
    this.#low = step(this.#low, word, FACTORS.low)
    this.#high = step(this.#high, word, FACTORS.high)
  }
}
