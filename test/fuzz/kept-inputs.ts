// The inputs that are worth changing further: each took a branch, or took one that often, as none before it. A
// shorter input that does the same takes the place of a longer one.

import type { Chance } from './chance.ts'
import type { Pair } from './probes.ts'

export interface KeptInput {
  readonly bytes: Uint8Array
  readonly pairs: readonly Pair[]
  /** What it is the shortest for: branches, with how often they were taken. */
  features: number
}

/** A branch taken 1, 2, 3, 4-7, 8-15, 16-31, 32-127 or more times is eight things. */
function bucketOf(hits: number): number {
  if (hits < 4) return hits - 1
  if (hits < 8) return 3
  if (hits < 16) return 4
  if (hits < 32) return 5
  return hits < 128 ? 6 : 7
}

export class KeptInputs {
  readonly all: KeptInput[] = []
  readonly #best: (KeptInput | undefined)[]
  readonly #isTaken: Uint8Array
  features = 0
  branches = 0

  constructor(branches: number) {
    this.#best = Array.from({ length: branches * 8 })
    this.#isTaken = new Uint8Array(branches)
  }

  /** Keeps the input if it shows something new; `pairsOf` is asked only then. */
  consider(
    bytes: Uint8Array,
    hits: Uint32Array,
    pairsOf: () => readonly Pair[],
  ): 'new' | 'shorter' | undefined {
    const [isNew, won] = this.#wins(bytes, hits)
    if (won.length === 0) return undefined
    const input: KeptInput = { bytes: bytes.slice(), pairs: pairsOf(), features: won.length }
    for (const feature of won) {
      const before = this.#best[feature]
      if (before === undefined) this.features++
      else before.features--
      this.#best[feature] = input
    }
    this.all.push(input)
    if (this.all.length % 64 === 0) this.#dropBeaten()
    return isNew ? 'new' : 'shorter'
  }

  #wins(bytes: Uint8Array, hits: Uint32Array): [boolean, number[]] {
    const won: number[] = []
    let isNew = false
    for (let branch = 0; branch < hits.length; branch++) {
      const count = hits[branch] ?? 0
      if (count === 0) continue
      const feature = branch * 8 + bucketOf(count)
      const best = this.#best[feature]
      if (best !== undefined && best.bytes.length <= bytes.length) continue
      won.push(feature)
      isNew ||= best === undefined
      if (this.#isTaken[branch] === 1) continue
      this.#isTaken[branch] = 1
      this.branches++
    }
    return [isNew, won]
  }

  #dropBeaten(): void {
    const left = this.all.filter(({ features }) => features > 0)
    this.all.splice(0, this.all.length, ...left)
  }

  /** The newest are chosen more often: behind them something new is likely. And short ones, which run fast. */
  choose(chance: Chance): KeptInput | undefined {
    const { length } = this.all
    const newest = Math.max(0, length - 1 - chance.below(1 + (length >> 3)))
    const one = chance.below(3) === 0 ? this.all[newest] : chance.of(this.all)
    const other = chance.of(this.all)
    if (one === undefined || other === undefined || chance.below(4) === 0) return one
    return one.features > 0 && one.bytes.length <= other.bytes.length ? one : other
  }
}
