// The times of the checkpoint under way, noted as its steps happen, and the row that they make when it is over.

import type { Capture } from '../shared/guest.ts'
import type { Clock } from '../shared/ports.ts'
import type { CheckpointRow, Trigger } from '../shared/protocol/rows.ts'

export class RoundNotes {
  readonly #clock: Clock
  trigger: Trigger = 'seed'
  pause = 0
  find = 0
  held = 0
  #due = 0
  #requested = 0
  #replied = 0
  #captured = 0
  #sent = 0
  #received = 0
  #under = false
  #isCaptured = false
  #isCommitted = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A checkpoint is due and requested; a seed counts as replied to at once. */
  begin(trigger: Trigger): void {
    const now = this.#clock.now()
    this.trigger = trigger
    this.pause = 0
    this.find = 0
    this.held = 0
    this.#due = now
    this.#requested = now
    this.#replied = now
    this.#captured = now
    this.#sent = now
    this.#received = now
    this.#under = true
    this.#isCaptured = false
    this.#isCommitted = false
  }

  replied(): void {
    this.#replied = this.#clock.now()
  }

  captured({ pauseMs, findMs }: Capture): void {
    this.#captured = this.#clock.now()
    this.#isCaptured = true
    this.pause = pauseMs
    this.find = findMs
  }

  sent(): void {
    this.#sent = this.#clock.now()
  }

  received(held: number): void {
    this.#received = this.#clock.now()
    this.#isCommitted = true
    this.held = held
  }

  /**
   * The round is over, or cut short: committed if vmstate-received came, whatever came of the rest. `of.epoch`
   * is the last one captured. Undefined if no checkpoint was under way.
   */
  finish(
    of: Pick<CheckpointRow, 'epoch' | 'generation' | 'session' | 'pages' | 'bytes'>,
  ): CheckpointRow | undefined {
    if (!this.#under) return undefined
    this.#under = false
    const now = this.#clock.now()
    const ready = Math.max(this.#replied, this.#captured)
    return {
      ...of,
      epoch: this.#isCaptured ? of.epoch : of.epoch + 1,
      trigger: this.trigger,
      at: now,
      stages: {
        request: this.#captured - this.#due,
        reply: this.#replied - this.#requested,
        send: Math.max(0, this.#sent - ready),
        received: Math.max(0, this.#received - this.#sent),
        loaded: this.#isCommitted ? now - this.#received : 0,
      },
      cycle: now - this.#requested,
      pause: this.pause,
      find: this.find,
      held: this.held,
      outcome: this.#isCommitted ? 'committed' : 'discarded',
    }
  }
}
