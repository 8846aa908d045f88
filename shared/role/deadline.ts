// The deadline of whatever a round of the checkpoint protocol waits for. One wait follows the other within a
// millisecond and hardly any of them ever passes, so they share one timer that is left running: when it fires
// it looks whether the wait of that moment is over time, and if not sleeps for what is left.

import type { DelayName, Delays } from '../protocol/delays.ts'
import type { Clock, TimerHandle } from '../ports.ts'

export class Deadline {
  readonly #clock: Clock
  readonly #delays: Delays
  readonly #passed: () => void
  #at = Number.POSITIVE_INFINITY
  #awaits: DelayName | undefined
  #timer: TimerHandle
  #firesAt = Number.POSITIVE_INFINITY

  constructor(clock: Clock, delays: Delays, passed: () => void) {
    this.#clock = clock
    this.#delays = delays
    this.#passed = passed
  }

  /** A wait begins now and may take as long as the delay of this name; the wait before it is over. */
  set(delay: DelayName): void {
    this.#awaits = delay
    this.#at = this.#clock.now() + this.#delays[delay]
    if (this.#at < this.#firesAt) this.#arm()
  }

  /** There was progress: if the wait is this one, it begins anew. */
  renew(delay: DelayName): void {
    if (this.#awaits === delay) this.set(delay)
  }

  /** Nothing is waited for. */
  clear(): void {
    this.#awaits = undefined
    this.#at = Number.POSITIVE_INFINITY
    this.#firesAt = Number.POSITIVE_INFINITY
    this.#clock.clearTimeout(this.#timer)
  }

  #arm(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#firesAt = this.#at
    this.#timer = this.#clock.setTimeout(() => this.#fire(), this.#at - this.#clock.now())
  }

  #fire(): void {
    this.#firesAt = Number.POSITIVE_INFINITY
    const at = this.#at
    if (this.#clock.now() < at) return this.#arm()
    // After a standstill of this process what it waits for may be here, unread: that comes first.
    this.#clock.soon(() => {
      if (this.#at !== at) return
      this.#at = Number.POSITIVE_INFINITY
      this.#awaits = undefined
      this.#passed()
    })
  }
}
