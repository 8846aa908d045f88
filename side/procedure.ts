// What the operator's verbs share that write the register in place of the statechart: the question to the peer, one
// read, one compare-and-set, and an end in time. Nothing that arrives after the end changes anything.

import type { PeerHello, VerbMessage } from '../shared/protocol/control-messages.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import type { World, WriteBase } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import { describeRegister, type Register } from '../shared/protocol/register.ts'
import type { Primary } from '../primary/primary.ts'
import type { Secondary } from '../secondary/secondary.ts'
import { PeerQuestion, type PeerAnswer } from './peer-question.ts'
import { done, refuse, type VerbResult } from './verb-result.ts'

export interface ProcedureOptions<Role = Primary | Secondary> {
  readonly world: World
  readonly record: SideRecord
  readonly delays: Delays
  readonly role: Role
  readonly hello: PeerHello
  readonly answer: (result: VerbResult) => void
  readonly ended: () => void
}

export abstract class Procedure<Role = Primary | Secondary> {
  protected readonly message: VerbMessage
  protected readonly options: ProcedureOptions<Role>
  #question: PeerQuestion | undefined
  #steps = 0
  #isBegun = false
  #isOver = false

  constructor(message: VerbMessage, options: ProcedureOptions<Role>) {
    this.message = message
    this.options = options
  }

  abstract start(): void

  /** The role hears how its part in this goes. */
  protected abstract tell(how: 'begun' | 'won' | 'failed'): void

  protected get isOver(): boolean {
    return this.#isOver
  }

  /** The role has ended, or the daemon ends: nothing is written any more. */
  abandon(why: string): void {
    this.fail(why)
  }

  /** From here on the role waits for the end of this. */
  protected begin(): void {
    this.#isBegun = true
    this.tell('begun')
  }

  protected askPeer(answered: (answer: PeerAnswer) => void): void {
    const { world, delays, hello } = this.options
    this.#question = new PeerQuestion({
      ...{ network: world.network, clock: world.clock, timeoutMs: delays.helloTimeoutMs, hello },
      answered: (answer) => {
        if (!this.#isOver) answered(answer)
      },
    })
  }

  /** `base`: what a founding starts from where the witness has no register of this pair. */
  protected readRegister(then: (register: Register | undefined, base: WriteBase) => void): void {
    const { world, record } = this.options
    this.#endWithin()
    world.witness.read(record.pair, ({ reached, register, why, pairs = 0 }) => {
      if (this.#isOver) return undefined
      this.#steps++
      if (!reached) return this.fail(`the witness can not be read: ${why ?? 'no answer'}`)
      return then(register, register ?? { pairs })
    })
  }

  /** `won` says what the operator hears, once `next` is the register. `word`: it goes to the peer before that. */
  protected write(from: WriteBase, next: Register, won: () => string, word?: Register): void {
    const { world, record, answer, ended } = this.options
    world.witness.grant()
    this.#endWithin()
    world.witness.compareAndSet(from, next, ({ reached, register, why }) => {
      if (this.#isOver) return undefined
      if (!reached) return this.fail(`the witness can not be written: ${why ?? 'no answer'}`)
      if (register?.nonce !== next.nonce) {
        return this.fail(`another write came first: ${describeRegister(register)}`)
      }
      this.#isOver = true
      record.takeOver(next)
      this.#question?.end(word)
      ended()
      this.tell('won')
      return answer(done(won()))
    })
  }

  protected fail(why: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#question?.end(undefined)
    this.options.ended()
    if (this.#isBegun) this.tell('failed')
    this.options.answer(refuse('not-now', why))
  }

  /** A witness that does not answer ends the verb; a write that lands later is seen by the next read. */
  #endWithin(): void {
    const { world, delays } = this.options
    const step = ++this.#steps
    const ms = 2 * delays.witnessTimeoutMs
    world.clock.setTimeout(() => {
      if (step === this.#steps) this.fail(`the witness does not answer within ${ms} ms`)
    }, ms)
  }
}
