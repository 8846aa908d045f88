// When the next checkpoint is due: soon after output is held, so that a client waits little; at the latest a
// period after the last one; at once when much is held, much has changed or somebody asked. It is armed while no checkpoint is
// under way, and fires once.

import type { Clock, TimerHandle } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import type { Trigger } from '../shared/protocol/rows.ts'
import type { OutputGate } from './output-gate.ts'

export class CheckpointTrigger {
  readonly #clock: Clock
  readonly #delays: Delays
  readonly #gate: OutputGate
  readonly #due: (trigger: Trigger) => void
  #timer: TimerHandle
  #armedAt: number | undefined
  #timedFor = Number.POSITIVE_INFINITY
  #asked = false

  constructor(clock: Clock, delays: Delays, gate: OutputGate, due: (trigger: Trigger) => void) {
    this.#clock = clock
    this.#delays = delays
    this.#gate = gate
    this.#due = due
  }

  /** No checkpoint is under way. */
  arm(): void {
    this.#armedAt = this.#clock.now()
    this.#timedFor = Number.POSITIVE_INFINITY
    this.consider()
  }

  disarm(): void {
    this.#armedAt = undefined
    this.#clock.clearTimeout(this.#timer)
  }

  /** Somebody wants a checkpoint as soon as one can be made. */
  ask(): void {
    this.#asked = true
    this.consider()
  }

  /** Many pages have changed. Whoever counts them says so again if nothing comes of it now. */
  dirtied(): void {
    this.#fire('dirty')
  }

  /** Output was held, or something else that may bring the time nearer. */
  consider(): void {
    if (this.#armedAt === undefined) return
    if (this.#asked) return this.#fire('request')
    if (this.#gate.heldBytes > LIMITS.heldBytesMax / 4) return this.#fire('held')
    const { commitWithinMs, periodMs } = this.#delays
    const now = this.#clock.now()
    const since = this.#gate.heldSince
    const byPeriod = this.#armedAt + periodMs
    const byOutput = since === undefined ? Number.POSITIVE_INFINITY : since + commitWithinMs
    const trigger = byOutput < byPeriod ? 'output' : 'period'
    const at = Math.min(byOutput, byPeriod)
    if (at <= now) return this.#fire(trigger)
    if (at >= this.#timedFor) return
    this.#clock.clearTimeout(this.#timer)
    this.#timedFor = at
    this.#timer = this.#clock.setTimeout(() => this.#fire(trigger), at - now)
  }

  #fire(trigger: Trigger): void {
    if (this.#armedAt === undefined) return
    this.disarm()
    this.#asked = false
    this.#due(trigger)
  }
}
