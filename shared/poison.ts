// How a side recognises the input that a guest died of. A client that is cut off connects to the other side and
// sends its request again: the guest there would die of it as well. So what each client has sent since it was last
// answered is known by its length and its first bytes, and what was fatal once is remembered for a while.

import { LIMITS } from './protocol/limits.ts'

/** What a guest died of: so many bytes of one client, and a digest of the first of them. */
export interface PoisonMark {
  readonly length: number
  readonly digest: string
}

/** What one client has sent since the guest last answered it. */
export class ClientInput {
  /** Where the client is, for log lines. */
  readonly address: string
  readonly #head = new Uint8Array(LIMITS.poisonHeadBytes)
  #received = 0
  /** Of what was received, where the part begins that was not answered. */
  #from = 0
  #answered = false

  constructor(address: string) {
    this.address = address
  }

  get unanswered(): number {
    return this.#received - this.#from
  }

  /** What comes after an answer is a new request. Returns how much of the request had come before. */
  said(bytes: Uint8Array): number {
    if (this.#answered) this.#from = this.#received
    this.#answered = false
    const before = this.unanswered
    const room = this.#head.length - before
    if (room > 0) this.#head.set(bytes.length > room ? bytes.subarray(0, room) : bytes, before)
    this.#received += bytes.length
    return before
  }

  answered(): void {
    this.#answered = true
  }

  /** Of what was not answered, as much as the guest had when it had `taken` so many bytes (modulo 2 ** 32). */
  markAt(taken: number): PoisonMark {
    const length = Math.min((taken - this.#from) >>> 0, this.unanswered)
    return { length, digest: this.#digest(length) }
  }

  /** `mark` has as many bytes as this, or fewer. */
  beginsAs(mark: PoisonMark): boolean {
    return this.#digest(mark.length) === mark.digest
  }

  /** Two hashes of 32 bits: it tells inputs apart that nobody made to collide. */
  #digest(length: number): string {
    let [low, high] = [0x811c9dc5, 0x9747b28c]
    for (const byte of this.#head.subarray(0, length)) {
      low = Math.imul(low ^ byte, 0x01000193)
      high = Math.imul(high ^ byte, 0x5bd1e995) ^ (high >>> 15)
    }
    return hex(low) + hex(high)
  }
}

const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0')

interface Kept {
  readonly mark: PoisonMark
  until: number
  fitted: number
}

/** What guests of this pair died of lately, on either side. */
export class PoisonMarks {
  #kept: Kept[] = []

  get count(): number {
    return this.#kept.length
  }

  /** Kept until `until`; the oldest gives way if there are too many. */
  add(mark: PoisonMark, until: number): void {
    if (mark.length < LIMITS.poisonBytesMin) return
    const others = this.#kept.filter(
      ({ mark: { length, digest } }) => length !== mark.length || digest !== mark.digest,
    )
    this.#kept = [...others, { mark, until, fitted: 0 }].slice(-LIMITS.poisonMarksMax)
  }

  /**
   * Which mark `input` has just become as long as, and begins as: it had `before` bytes before this. The mark is
   * kept until `until` then. `times` counts how often it fitted.
   */
  fits(
    input: ClientInput,
    before: number,
    now: number,
    until: number,
  ): { mark: PoisonMark; times: number } | undefined {
    this.#kept = this.#kept.filter((kept) => kept.until > now)
    for (const kept of this.#kept) {
      const { length } = kept.mark
      if (before >= length || input.unanswered < length || !input.beginsAs(kept.mark)) continue
      kept.until = until
      kept.fitted++
      return { mark: kept.mark, times: kept.fitted }
    }
    return undefined
  }
}
