// The dice of a run: sfc32 from a seed. Everything that a simulation chooses is chosen here.

export class Chance {
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seed: number) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 0x1_0000_0000) ^ 0x9e3779b9
    this.#c = 0x243f6a88
    for (let i = 0; i < 15; i++) this.u32()
  }

  u32(): number {
    const t = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }

  /** In [0, 1). */
  share(): number {
    return this.u32() / 0x1_0000_0000
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + this.share() * (to - from)
  }

  below(count: number): number {
    return Math.floor(this.share() * count)
  }

  happens(probability: number): boolean {
    return this.share() < probability
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]
  }

  /** Mostly small, now and then large: what networks and schedulers do. */
  delay(usual: number): number {
    const kind = this.share()
    if (kind < 0.8) return this.between(0.02, usual)
    if (kind < 0.97) return this.between(usual, 5 * usual)
    return this.between(5 * usual, 40 * usual)
  }

  token(): string {
    let text = ''
    for (let i = 0; i < 4; i++) text += this.u32().toString(16).padStart(8, '0')
    return text
  }
}
