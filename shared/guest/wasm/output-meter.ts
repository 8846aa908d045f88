// How much the guest may say. Output of one call is bounded: what is beyond it is dropped, and every connection
// that lost some is cut off, because half an answer must not look whole. Output that has not left the daemon's
// thread is bounded too: until some has, the guest is given no more input. Captures go on meanwhile.

import { LIMITS } from '../../protocol/limits.ts'
import { outputWeight, SIGNALS } from './guest-messages.ts'

export class OutputMeter {
  readonly #signals: Int32Array
  /** Weight of all that was posted; wraps around, as SIGNALS.settled does. */
  #posted = 0
  /** Bytes that were posted in the call under way, and the connections that it said too much to. */
  #callBytes = 0
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

  /** The call is over; returns the connections that it said too much to. */
  endCall(): readonly number[] {
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
