// A clock that moves only when a test says so. Timers fire one by one in the order of their time, ties in the
// order in which they were set, and each sees the time at which it was due. (xstate's own SimulatedClock jumps
// to the end first, so that a timer set by a timer fires late.)

import type { Clock } from '../../shared/ports.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #timers = new Map<number, Timer>()
  #soon: (() => void)[] = []

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delayMs: number): number {
    const order = ++this.#order
    this.#timers.set(order, { at: this.#now + delayMs, order, callback })
    return order
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number)
  }

  soon(callback: () => void): void {
    this.#soon.push(callback)
  }

  /** How many timers were ever set. */
  get timersSet(): number {
    return this.#order
  }

  get timerCount(): number {
    return this.#timers.size
  }

  /** Runs what waits for its turn, and what that makes wait. */
  settle(): void {
    while (this.#soon.length > 0) {
      const due = this.#soon
      this.#soon = []
      for (const callback of due) callback()
    }
  }

  advance(ms: number): void {
    const end = this.#now + ms
    this.settle()
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      this.#now = next.at
      this.#timers.delete(next.order)
      next.callback()
      this.settle()
    }
    this.#now = end
  }

  #nextUntil(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers.values()) {
      if (timer.at > end) continue
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) {
        first = timer
      }
    }
    return first
  }
}
