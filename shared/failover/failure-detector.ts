// Tells whether the peer is to be suspected, from the times of what was heard alone: no timer, no clock of its
// own. Its owner calls tick() once a heartbeat. A tick that comes late says more about this process (it was
// stopped, or starved) than about the peer, so it grants one heartbeat more before it suspects: what the peer
// said meanwhile is still in the socket and is read first.

export class FailureDetector {
  readonly #heartbeatMs: number
  readonly #suspectMs: number
  #heardAt: number
  #tickedAt: number
  #graceUntil: number

  /** `heartbeatMs` between ticks, `suspectMs` of silence allowed; `now` in the milliseconds of the clock. */
  constructor(heartbeatMs: number, suspectMs: number, now: number) {
    this.#heartbeatMs = heartbeatMs
    this.#suspectMs = suspectMs
    this.#heardAt = now
    this.#tickedAt = now
    this.#graceUntil = now
  }

  /** Anything at all came from the peer. */
  heard(now: number): void {
    this.#heardAt = now
  }

  /** Once a heartbeat: true if the peer is to be suspected. */
  tick(now: number): boolean {
    const late = now - this.#tickedAt > 2 * this.#heartbeatMs
    this.#tickedAt = now
    if (late) this.#graceUntil = now + this.#heartbeatMs / 2
    return this.suspects(now)
  }

  suspects(now: number): boolean {
    return now >= this.#graceUntil && now - this.#heardAt >= this.#suspectMs
  }

  /** Milliseconds since something was heard. */
  silence(now: number): number {
    return now - this.#heardAt
  }
}
