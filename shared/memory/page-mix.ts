// Mixes pages into 40 words. This is the plain way; page-mix-module.ts gives the same words several times faster,
// where the page store lies in memory that WebAssembly can read.
//
// There are 32 chains of 32 bits. A page is 32 blocks of 128 bytes, and the i-th word of a block goes into the
// i-th chain:
//
//   chain = (chain ^ word) * FACTOR        FACTOR is odd, all arithmetic is modulo 2^32
//   chain = chain ^ (chain >>> 15)
//
// Ahead of a page its pfn goes into chains 0 to 3 in the same way. Each step is a bijection of the chain for a
// given word, and of the word for a given chain. So a change of one word always changes its chain, and what
// follows can't undo it. Two changes of the same chain can: for them there are 8 sums, of the values that the
// chains had on the way (chain i adds to sum i % 8). The chains run on from page to page, so the order of pages
// counts. At the end fold() puts chains and sums, one after the other, into one chain.

import { PAGE_BYTES } from '../guest.ts'

/** Shared with the module. */
export const MIX = {
  factor: 0x9e3779b1,
  shift: 15,
  chains: 32,
  sums: 8,
} as const

const PFN_CHAINS = 4
/** A word for each chain. */
export const BLOCK_BYTES = MIX.chains * 4

export interface PageMix {
  begin(): void
  /** `count` pages that lie from offset `at` on, the first of which is page `pfn` of the guest. */
  pages(at: number, pfn: number, count: number): void
  /** One page, which is copied from offset `from` to offset `to` as it is read. */
  copy(from: number, pfn: number, to: number): void
  /** A chain that begins with `start` and takes all 40 words with `factor`, which is odd. */
  fold(start: number, factor: number): number
}

/** One step of a chain. */
export function step(chain: number, word: number, factor: number): number {
  const mixed = Math.imul(chain ^ word, factor)
  return mixed ^ (mixed >>> MIX.shift)
}

/** What chain `index` begins with: no two begin alike. */
export const startOf = (index: number) => Math.imul(index + 1, MIX.factor)

export class PlainPageMix implements PageMix {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #chains = new Int32Array(MIX.chains)
  readonly #sums = new Int32Array(MIX.sums)

  constructor(memory: ArrayBufferLike) {
    this.#bytes = new Uint8Array(memory)
    this.#view = new DataView(memory)
  }

  begin(): void {
    for (let i = 0; i < MIX.chains; i++) this.#chains[i] = startOf(i)
    this.#sums.fill(0)
  }

  pages(at: number, pfn: number, count: number): void {
    for (let page = 0; page < count; page++) this.#page(at + page * PAGE_BYTES, pfn + page)
  }

  copy(from: number, pfn: number, to: number): void {
    this.#page(from, pfn)
    this.#bytes.copyWithin(to, from, from + PAGE_BYTES)
  }

  #page(at: number, pfn: number): void {
    const chains = this.#chains
    const sums = this.#sums
    for (let i = 0; i < PFN_CHAINS; i++) chains[i] = step(chains[i], pfn, MIX.factor)
    for (let block = at; block < at + PAGE_BYTES; block += BLOCK_BYTES) {
      for (let i = 0; i < MIX.chains; i++) {
        const chain = step(chains[i], this.#view.getInt32(block + 4 * i, true), MIX.factor)
        chains[i] = chain
        sums[i % MIX.sums] += chain
      }
    }
  }

  fold(start: number, factor: number): number {
    let chain = start
    for (const word of this.#chains) chain = step(chain, word, factor)
    for (const word of this.#sums) chain = step(chain, word, factor)
    return chain
  }
}
