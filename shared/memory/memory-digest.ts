// A digest of memory, for comparing two sides: 64 bits as 16 hex digits, not against an adversary. Trailing zero
// pages do not count, so that a guest which has not grown yet equals one that has. It can be computed in slices.

const START = [0x811c9dc5, 0x9e3779b9] as const

export class MemoryDigest {
  readonly #words: Uint32Array
  /** Words that are not among the zeros at the end, as far as that is known. */
  #end: number
  #isEndKnown = false
  #at = 0
  #a: number = START[0]
  #b: number = START[1]

  constructor(pages: Uint8Array) {
    this.#words = new Uint32Array(pages.buffer, pages.byteOffset, pages.length >>> 2)
    this.#end = this.#words.length
  }

  /** Looks at no more than `wordsMax` words; true once all is done. */
  step(wordsMax: number): boolean {
    const looked = this.#findEnd(wordsMax)
    return this.#isEndKnown && this.#mix(Math.min(this.#end, this.#at + wordsMax - looked))
  }

  get value(): string {
    return [this.#a, this.#b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #findEnd(wordsMax: number): number {
    if (this.#isEndKnown) return 0
    const words = this.#words
    const from = this.#end
    const until = Math.max(0, from - wordsMax)
    let end = from
    while (end > until && words[end - 1] === 0) end--
    this.#end = end
    this.#isEndKnown = end > until || end === 0
    return from - end
  }

  #mix(until: number): boolean {
    const words = this.#words
    let a = this.#a
    let b = this.#b
    for (let i = this.#at; i < until; i++) {
      a = Math.imul(a ^ words[i], 0x01000193)
      b = Math.imul(b ^ words[i] ^ (a >>> 15), 0x85ebca6b)
    }
    this.#a = a
    this.#b = b
    this.#at = Math.max(this.#at, until)
    return this.#at >= this.#end
  }
}

export function digestOf(pages: Uint8Array): string {
  const digest = new MemoryDigest(pages)
  digest.step(Number.POSITIVE_INFINITY)
  return digest.value
}
