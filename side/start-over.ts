// `colo start-over`: a cold guest after every state was lost, on a side that holds nothing. The operator names the
// register that is replaced, by its generation and its owner, and says that the owner is dead. Refused if the
// owner, or a peer that holds the guest, answers. Nothing is granted or written before all of that is checked.
// After the write this side waits before it serves, so that an owner which lives after all and reaches the
// witness has read that it is replaced and has closed its clients (the statechart's `startingOver`).

import type { VerbMessage } from '../shared/control/messages.ts'
import { DERIVED_DELAYS } from '../shared/protocol/delays.ts'
import { holders } from '../shared/failover/survival.ts'
import {
  describeRegister,
  coldReplacement,
  nextRegister,
  type Register,
} from '../shared/protocol/register.ts'
import type { WriteBase } from '../shared/ports.ts'
import type { Secondary } from '../secondary/secondary.ts'
import type { ProcedureOptions } from './adoption.ts'
import { PeerQuestion, type PeerAnswer } from './peer-question.ts'
import { done, refuse, type VerbResult } from './verb-result.ts'

const OWNER_DIGITS = 4
const notNow = (detail: string) => refuse('not-now', detail)

export interface StartOverOptions extends Omit<ProcedureOptions, 'role'> {
  readonly role: Secondary
}

export class StartOver {
  readonly #options: StartOverOptions
  readonly #message: VerbMessage
  #question: PeerQuestion | undefined
  #steps = 0
  #isBegun = false
  #isOver = false

  constructor(message: VerbMessage, options: StartOverOptions) {
    this.#message = message
    this.#options = options
  }

  start(): void {
    const { world, record, delays, hello, role } = this.#options
    if (!role.mayStartOver) {
      const what = 'start-over needs a side that is connecting or halted and holds no guest'
      return this.#fail(notNow(`${role.role}, ${role.state}: ${what}`))
    }
    this.#endWithin()
    return world.witness.read(record.pair, ({ reached, register, why, pairs = 0 }) => {
      if (this.#isOver) return undefined
      this.#steps++
      if (!reached) return this.#fail(notNow(`the witness does not answer: ${why ?? ''}`))
      const flaw = this.#flawOf(register)
      if (flaw !== undefined) return this.#fail(notNow(flaw))
      this.#question = new PeerQuestion({
        ...{ network: world.network, clock: world.clock, timeoutMs: delays.helloTimeoutMs, hello },
        answered: (answer) => this.#peerAnswered(register, register ?? { pairs }, answer),
      })
      return undefined
    })
  }

  abandon(why: string): void {
    this.#fail(notNow(why))
  }

  /** What does not fit in the operator's words; undefined if all does. */
  #flawOf(register: Register | undefined): string | undefined {
    const { record } = this.#options
    const { generation, owner, ownerIsDead, forgetGeneration } = this.#message
    if (register === undefined) return this.#flawOfNothing()
    const named = holders(register)
    const names = named.map((one) => one.slice(0, OWNER_DIGITS)).join(' or ') || 'none'
    const shown = describeRegister(register)
    const words = `--generation ${register.generation} --owner ${names}`
    if (generation !== register.generation) return `the register is ${shown}: give ${words}`
    const isOwner = (one: string) =>
      owner !== undefined && owner.length >= OWNER_DIGITS && one.startsWith(owner)
    if (named.length > 0 && !named.some(isOwner)) return `the register is ${shown}: give ${words}`
    if (record.pair !== '' && register.pair !== record.pair) {
      return `the register is of another pair (${register.pair.slice(0, 8)})`
    }
    if (!ownerIsDead) {
      return 'the guest of an owner that lives would be given up: give --owner-is-dead once it is surely dead'
    }
    const older = register.generation < record.generation
    if (older && forgetGeneration !== record.generation) {
      const way = `--forget-generation ${record.generation}`
      return `the register is older than what this side has seen: bring the right one back, or give ${way}`
    }
    return undefined
  }

  /** The register is gone for good, and so is every state: a new pair is founded in its place. */
  #flawOfNothing(): string | undefined {
    const { record } = this.#options
    const { generation, ownerIsDead, forgetGeneration } = this.#message
    const { generation: seen } = record
    if (record.seen === undefined) return 'no pair was founded yet: start the primary with --new'
    if (generation === 0 && forgetGeneration === seen && ownerIsDead) return undefined
    const words = `--generation 0 --forget-generation ${seen} --owner none --owner-is-dead`
    return `the register is missing: bring it back; if it is lost for good, give ${words}`
  }

  #peerAnswered(register: Register | undefined, from: WriteBase, { standing }: PeerAnswer): void {
    if (this.#isOver) return
    const { world, record } = this.#options
    if (standing?.holdsState) {
      return this.#fail(notNow('the peer holds the guest: colo adopt there goes on with it'))
    }
    if (standing !== undefined && holders(register).includes(standing.incarnation)) {
      return this.#fail(
        notNow('the owner that the register names answers at the address of the peer'),
      )
    }
    // The peer has started over, or founded a pair anew, and waits to serve.
    if (standing?.known !== undefined && holders(standing.known).includes(standing.incarnation)) {
      return this.#fail(notNow('the peer owns the pair: this side joins it by itself'))
    }
    const holder = { kind: 'alone', owner: record.incarnation } as const
    const nonce = world.random.token()
    const { seen } = record
    const next =
      register === undefined
        ? seen && coldReplacement(seen, nonce, holder)
        : nextRegister(register, nonce, holder, true)
    if (next === undefined) return this.#fail(notNow('this side has seen no register'))
    this.#options.role.startOver('begun')
    this.#isBegun = true
    world.witness.grant()
    this.#endWithin()
    world.witness.compareAndSet(from, next, ({ reached, register: after, why }) => {
      if (this.#isOver) return undefined
      if (!reached) return this.#fail(notNow(`the witness can not be written: ${why ?? ''}`))
      if (after?.nonce !== next.nonce) {
        return this.#fail(notNow(`another write came first: ${describeRegister(after)}`))
      }
      return this.#won(next)
    })
  }

  #won(register: Register): void {
    const { record, role, delays, answer, ended } = this.#options
    this.#isOver = true
    this.#question?.end(undefined)
    ended()
    record.takeOver(register)
    role.startOver('won')
    const waitMs = DERIVED_DELAYS.coldStartMs(delays)
    answer(done(`the guest starts cold in ${waitMs} ms, generation ${register.generation}`))
  }

  /** A witness that does not answer ends the verb; a write that lands later is seen by the next read. */
  #endWithin(): void {
    const { world, delays } = this.#options
    const step = ++this.#steps
    const ms = 2 * delays.witnessTimeoutMs
    world.clock.setTimeout(() => {
      if (step === this.#steps) this.#fail(notNow(`the witness does not answer within ${ms} ms`))
    }, ms)
  }

  #fail(result: VerbResult): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#question?.end(undefined)
    this.#options.ended()
    if (this.#isBegun) this.#options.role.startOver('failed')
    this.#options.answer(result)
  }
}
