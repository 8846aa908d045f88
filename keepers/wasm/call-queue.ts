// Calls into the guest that wait, in order: while it stands still, or while too much of its output has not left.

/** Calls that were made and are still kept in the list of those that wait. */
const DONE_MAX = 1024

export class CallQueue<T> {
  #waiting: T[] = []
  #next = 0

  push(call: T): void {
    this.#waiting.push(call)
  }

  /** The oldest one; undefined if none waits. */
  take(): T | undefined {
    if (this.#next === this.#waiting.length) return undefined
    const call = this.#waiting[this.#next++]
    if (this.#next > DONE_MAX || this.#next === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    return call
  }
}
