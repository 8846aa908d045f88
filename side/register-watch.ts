// While the pair is protected nobody needs the witness, so that one which is away would be noticed only when a side
// has died. So both sides look now and then, and the status says what is wrong. Nothing else comes of it.

import type { SideRecord } from '../shared/failover/side-record.ts'
import type { World } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'

export interface RegisterWatchOptions {
  readonly world: World
  readonly record: SideRecord
  readonly delays: Delays
  readonly isProtected: () => boolean
}

/** So many looks are skipped before an unanswered question counts as lost. */
const PATIENCE = 10

export class RegisterWatch {
  readonly #options: RegisterWatchOptions
  #isOver = false
  /** Looks since the last question that was not answered; 0: it was. */
  #unanswered = 0

  constructor(options: RegisterWatchOptions) {
    this.#options = options
  }

  start(): void {
    const { world, delays } = this.#options
    world.clock.setTimeout(() => this.#look(), delays.registerCheckMs)
  }

  stop(): void {
    this.#isOver = true
  }

  #look(): void {
    if (this.#isOver) return
    const { world, record, isProtected } = this.#options
    // A witness that hangs is not asked more and more; an answer may also be lost.
    if (this.#unanswered > 0 && ++this.#unanswered < PATIENCE) return this.start()
    if (isProtected()) {
      this.#unanswered = 1
      world.witness.read(record.pair, (answer) => {
        this.#unanswered = 0
        if (this.#isOver || !isProtected() || !record.looked(answer, world.clock.now())) return
        const { trouble } = record
        if (trouble === undefined) world.trace.log('info', 'the register can be read again')
        else world.trace.log('warn', `the witness decides nothing at present: ${trouble.text}`)
        world.trace.changed()
      })
    }
    return this.start()
  }
}
