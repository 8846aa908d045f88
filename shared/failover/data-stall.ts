// Tells whether one direction of the data channel stands still while the control channel lives, as when a
// firewall drops the one and not the other. Heartbeats say how many bytes each side has given to the channel and
// taken from it. Only bytes that somebody waits for count: that were given by the last heartbeat, and are not
// taken by this one, of which none was taken in between. A slow link takes some of them, and a side that has
// nothing to say gives none.
//
// Time counts from heartbeat to heartbeat, two heartbeatMs at most for each: while this process or the peer is
// stopped, or the control channel is late itself, nobody could have told what became of the data channel.

export class DataStall {
  readonly #heartbeatMs: number
  readonly #dataStallMs: number
  #sent = 0
  #taken = 0
  #heardAt: number
  #stalledMs = 0

  constructor(heartbeatMs: number, dataStallMs: number, now: number) {
    this.#heartbeatMs = heartbeatMs
    this.#dataStallMs = dataStallMs
    this.#heardAt = now
  }

  /**
   * Once for each heartbeat of the peer: bytes that one side has given and the other has taken, since the session
   * began. True if the direction stands still.
   */
  heard(sent: number, taken: number, now: number): boolean {
    const elapsed = Math.min(now - this.#heardAt, 2 * this.#heartbeatMs)
    const still = taken === this.#taken && this.#sent > taken
    this.#stalledMs = still ? this.#stalledMs + elapsed : 0
    this.#heardAt = now
    this.#sent = sent
    this.#taken = taken
    return this.#stalledMs >= this.#dataStallMs
  }

  /** How long it has stood still, milliseconds. */
  get stalledMs(): number {
    return this.#stalledMs
  }
}
