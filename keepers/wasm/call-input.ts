// What the host gives a guest with each call beside the call's arguments: a time, and a seed for random bytes. Both
// are fixed for the whole call, at their first use in it, so that a guest that uses neither pays nothing.

import { createCipheriv, randomBytes, type Cipher } from 'node:crypto'
import { GuestClock } from './abi/guest-clock.ts'
import type { GuestPages } from './guest-pages.ts'

/** Asked for each at most once in a call. What a call sees follows from these two: they can be sent with its input. */
export interface CallInput {
  /** Whole milliseconds since 1970-01-01 UTC, never less than the last. */
  timeMs(): number
  /** SEED_BYTES bytes. */
  seed(): Uint8Array
}

export const SEED_BYTES = 32

/** The time of this host, and seeds of its operating system. */
export class HostInput implements CallInput {
  #clock = new GuestClock(0, performance.now())

  timeMs(): number {
    const wallMs = Date.now()
    return this.#clock.read(wallMs, performance.now())
  }

  seed(): Uint8Array {
    return randomBytes(SEED_BYTES)
  }

  /** From the clock of a checkpoint on. */
  goOnFrom(clockMs: number): void {
    this.#clock = new GuestClock(clockMs, performance.now())
  }

  /** The clock for a checkpoint. */
  get clockMs(): number {
    return this.#clock.checkpointMs(performance.now())
  }
}

/** Random bytes are the key stream of AES-256 in counter mode, with the call's seed as the key. */
const CIPHER = 'aes-256-ctr'
const FIRST_COUNTER = new Uint8Array(16)
const NAME = 'colo.random'
/** What is encrypted to see the key stream; longer requests take it again and again. */
const ZEROS = new Uint8Array(65536)

/** The time and the random bytes of the call under way. */
export class CallValues {
  readonly #input: CallInput
  readonly #call: () => number
  #timeCall: number | undefined
  #timeMs = 0
  #seedCall: number | undefined
  #stream: Cipher | undefined

  /** `call` gives a number that is another one in each call. */
  constructor(input: CallInput, call: () => number) {
    this.#input = input
    this.#call = call
  }

  timeMs(): number {
    const call = this.#call()
    if (call !== this.#timeCall) {
      this.#timeMs = this.#input.timeMs()
      this.#timeCall = call
    }
    return this.#timeMs
  }

  /** Writes the next `length` random bytes of the call to the guest's address `at`. */
  putRandom(pages: Pick<GuestPages, 'read' | 'write'>, at: number, length: number): void {
    // A trap before anything is written.
    pages.read(at, length, NAME)
    const stream = this.#streamOfCall()
    const end = at + length
    for (let from = at; from < end; from += ZEROS.length) {
      const piece = ZEROS.subarray(0, Math.min(ZEROS.length, end - from))
      pages.write(from, stream.update(piece), NAME)
    }
  }

  #streamOfCall(): Cipher {
    const call = this.#call()
    if (this.#stream === undefined || call !== this.#seedCall) {
      this.#stream = createCipheriv(CIPHER, this.#input.seed(), FIRST_COUNTER)
      this.#seedCall = call
    }
    return this.#stream
  }
}
