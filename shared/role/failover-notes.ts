// The times of a failover, noted as its steps happen, and the row that they make when the guest serves again.
// Both roles keep them: the guest may go on where it is, or on the other side.

import type { Clock } from '../ports.ts'
import type { Generation } from '../protocol/register.ts'
import type { Role } from '../protocol/words.ts'
import type { FailoverRow } from '../protocol/rows.ts'
import type { SessionEnd } from './session.ts'

export class FailoverNotes {
  readonly #clock: Clock
  #lost: { readonly at: number; readonly end: SessionEnd } | undefined
  #claimedAt = 0
  /** Of the last session, for as long as there is no other. */
  lastEnd: SessionEnd | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  lost(end: SessionEnd): void {
    this.#lost = { at: this.#clock.now(), end }
    this.lastEnd = end
  }

  claimed(): void {
    this.#claimedAt = this.#clock.now()
  }

  /** What is claimed from here on was not lost before. */
  forget(): void {
    this.#lost = undefined
  }

  /** Undefined if no session was lost: the guest serves for the first time. */
  serves(role: Role, generation: Generation): FailoverRow | undefined {
    const lost = this.#lost
    if (lost === undefined) return undefined
    this.#lost = undefined
    const at = this.#clock.now()
    return {
      at,
      role,
      reason: lost.end.code,
      detail: lost.end.detail,
      detectedMs: lost.end.silenceMs,
      claimedMs: this.#claimedAt - lost.at,
      servingMs: at - lost.at,
      generation,
    }
  }
}
