// The time that a guest is told. It follows the host's wall clock, and never goes back: neither when the wall clock
// is set back, nor when the guest goes on at another host whose wall clock is behind. Then it runs on at the rate of
// the monotonic clock, so that durations stay right. It reads no clock: the readings are arguments.

export class GuestClock {
  /** The last time that was given, by this clock or by the one that it goes on from; 0: none. */
  #lastMs: number
  /** The monotonic clock plus this is the least that the guest may be told. */
  #offsetMs: number

  /** `lastMs`: where a guest goes on from; 0 for one that was never told the time. */
  constructor(lastMs: number, monotonicMs: number) {
    this.#lastMs = lastMs
    this.#offsetMs = lastMs - monotonicMs
  }

  /**
   * The time, whole milliseconds since 1970-01-01 UTC. `monotonicMs` must be read after `wallMs`: when the thread is
   * held up between the two, the clock falls behind the wall clock and follows it again at the next reading. In the
   * other order it would stay ahead for good.
   */
  read(wallMs: number, monotonicMs: number): number {
    const ranMs = monotonicMs + this.#offsetMs
    if (wallMs > ranMs) this.#offsetMs = wallMs - monotonicMs
    this.#lastMs = Math.max(this.#lastMs, Math.floor(Math.max(wallMs, ranMs)))
    return this.#lastMs
  }

  /**
   * What travels with a checkpoint: the last time given and what has passed since, so that a guest that asked long
   * ago does not lose that time. No later read() gives less. 0 if the guest was never told the time.
   */
  checkpointMs(monotonicMs: number): number {
    if (this.#lastMs === 0) return 0
    return Math.max(this.#lastMs, Math.floor(monotonicMs + this.#offsetMs))
  }
}
