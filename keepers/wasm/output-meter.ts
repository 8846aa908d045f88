// How much the guest may say. Output of one call is bounded: what is beyond it is dropped, and every connection
// that lost some is cut off, because half an answer must not look whole. Output that has not left the daemon's
// thread is bounded too: until some has, the guest is given no more input. Captures go on meanwhile.

import { LIMITS } from '../../shared/protocol/limits.ts'
import { GUEST_INPUT_BYTES } from './abi/wasm-module.ts'
import { outputWeight, SIGNALS } from './guest-messages.ts'

export class OutputMeter {
  readonly #signals: Int32Array
  /** Weight of all that was posted; wraps around, as SIGNALS.settled does. */
  #posted = 0
  /** Bytes that were posted in the call under way, and the connections that it said too much to. */
  #callBytes = 0
  #lastBytes = 0
  readonly #cut = new Set<number>()

  constructor(signals: Int32Array) {
    this.#signals = signals
  }

  /** Whether these bytes of the call under way may be posted. */
  admits(connection: number, bytes: number): boolean {
    if (this.#callBytes + bytes > LIMITS.callOutputBytesMax || this.#cut.has(connection)) {
      this.#cut.add(connection)
      return false
    }
    this.#callBytes += bytes
    this.#posted = (this.#posted + outputWeight(bytes)) | 0
    return true
  }

  isCut(connection: number): boolean {
    return this.#cut.has(connection)
  }

  /** What the last call said, without what was dropped. */
  get lastBytes(): number {
    return this.#lastBytes
  }

  /** The call is over; returns the connections that it said too much to. */
  endCall(): readonly number[] {
    this.#lastBytes = this.#callBytes
    this.#callBytes = 0
    if (this.#cut.size === 0) return NOBODY
    const cut = [...this.#cut]
    this.#cut.clear()
    return cut
  }

  /** More has not left than may be held. If so, this thread is told once some has. */
  isFull(): boolean {
    if (this.#unsettled() <= LIMITS.heldBytesMax) return false
    Atomics.store(this.#signals, SIGNALS.waits, 1)
    return this.#unsettled() > LIMITS.heldBytesMax
  }

  #unsettled(): number {
    return (this.#posted - Atomics.load(this.#signals, SIGNALS.settled)) | 0
  }
}

const NOBODY: readonly number[] = []

// A client may send many requests at once. They are one call each only if their answers are large: a connection
// begins with small parts, which grow as long as the answers are small.

export const FIRST_PART_BYTES = 256
const PART_BYTES_MIN = 32
/** What the answers to one part should be. */
const PART_OUTPUT_BYTES = 1024 * 1024

/** How many bytes of a connection the next call gets, when one with `length` of `size` bytes said `output`. */
export function nextPartBytes(size: number, length: number, output: number): number {
  if (output <= PART_OUTPUT_BYTES) return Math.min(size * 2, GUEST_INPUT_BYTES)
  return Math.max(PART_BYTES_MIN, Math.floor((length * PART_OUTPUT_BYTES) / output))
}
