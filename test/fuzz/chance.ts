// Numbers by chance, the same for the same seed.

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to `end` - 1; 0 if `end` is 0. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return end === 0 ? 0 : ((value ^ (value >>> 14)) >>> 0) % end
  }

  of<One>(list: readonly One[]): One | undefined {
    return list[this.below(list.length)]
  }
}
