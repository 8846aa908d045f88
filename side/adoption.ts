// `colo adopt`: a side that holds the guest, and waits on a register that is missing, older or of another line,
// goes on with its state by an operator's word. And on a secondary that was seeded and never named, whose owner
// is dead. The register that is there is replaced by one compare-and-set, so that of two operators one wins.
//
// What keeps two guests from serving: the peer is asked first. One that serves, or knows a newer register, is a
// reason to refuse. One that waits as well promises to claim nothing until this verb has written or failed, and
// is told of the new register before this side serves. One that is silent may be dead or only cut off: that is
// for the operator to say. An owner that lives and reaches the witness has put an older register right within
// registerCheckMs, so three of these are waited for. (docs/protocol.md, "An operator's way out".)

import type { PeerHello, VerbMessage } from '../shared/control/messages.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import { holders } from '../shared/failover/survival.ts'
import type { World } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import {
  describeRegister,
  isTrusted,
  nextRegister,
  replacement,
  type Register,
} from '../shared/protocol/register.ts'
import type { Primary } from '../primary/primary.ts'
import type { Secondary } from '../secondary/secondary.ts'
import { PeerQuestion, type PeerAnswer } from './peer-question.ts'
import { done, refuse, type VerbResult } from './verb-result.ts'

export interface ProcedureOptions {
  readonly world: World
  readonly record: SideRecord
  readonly delays: Delays
  readonly role: Primary | Secondary
  readonly hello: PeerHello
  readonly answer: (result: VerbResult) => void
  readonly ended: () => void
}

const notNow = (detail: string) => refuse('not-now', detail)

export class Adoption {
  readonly #options: ProcedureOptions
  readonly #message: VerbMessage
  #question: PeerQuestion | undefined
  #isSeedOnly = false
  #base: Register | undefined
  #steps = 0
  #pairs = 0
  #isOver = false

  constructor(message: VerbMessage, options: ProcedureOptions) {
    this.#message = message
    this.#options = options
  }

  start(): void {
    const { record, role, world, delays } = this.#options
    const { generation } = this.#message
    if (!role.canBeAdopted || record.known === undefined) {
      const what = 'adopt needs a side that holds the guest and waits for the witness'
      return this.#fail(notNow(`${role.role}, ${role.state}: ${what}`), false)
    }
    if (generation !== record.generation) {
      const now = record.generation
      return this.#fail(
        notNow(`this side knows generation ${now}: give --generation ${now}`),
        false,
      )
    }
    this.#base = record.known
    this.#isSeedOnly = role.role === 'secondary' && role.isSeedOnly
    const since = record.trouble?.since ?? world.clock.now()
    if (record.trouble === undefined && !this.#isSeedOnly && role.state !== 'halted') {
      return this.#fail(notNow('the witness answers: this side asks it, and needs no verb'), false)
    }
    role.adoption('begun')
    const lasts = world.clock.now() - since
    const rest =
      this.#isSeedOnly || role.state === 'halted' ? 0 : 3 * delays.registerCheckMs - lasts
    world.clock.setTimeout(() => this.#askPeer(), Math.max(0, rest))
    return undefined
  }

  /** The role has ended, or the daemon ends: nothing is written any more. */
  abandon(why: string): void {
    this.#fail(notNow(why))
  }

  #askPeer(): void {
    if (this.#isOver) return
    const { world, delays, hello } = this.#options
    this.#question = new PeerQuestion({
      ...{ network: world.network, clock: world.clock, timeoutMs: delays.helloTimeoutMs, hello },
      answered: (answer) => this.#peerAnswered(answer),
    })
  }

  #peerAnswered({ standing, lives, why }: PeerAnswer): void {
    if (this.#isOver) return
    const { record } = this.#options
    if (standing === undefined) {
      if (lives) return this.#fail(notNow(`the peer lives and does not say how it stands: ${why}`))
      if (this.#message.peerIsDead) return this.#readRegister(undefined)
      const cut = 'a peer that is only cut off may be serving its clients'
      const way = 'give --peer-is-dead once you have made sure that it is dead'
      return this.#fail(notNow(`the peer does not answer (${why}); ${cut}; ${way}`))
    }
    if (standing.serves) return this.#fail(notNow('the peer serves the guest: stop it first'))
    const { known } = standing
    const mine = this.#base
    if (standing.holdsState && known !== undefined && mine !== undefined) {
      if (known.earlier.includes(mine.nonce)) {
        const newer = describeRegister(known)
        return this.#fail(notNow(`the peer knows a newer register (${newer}): adopt there`))
      }
      if (known.pair !== record.pair) return this.#fail(notNow('the peer is of another pair'))
    }
    return this.#readRegister(standing.incarnation)
  }

  #readRegister(peer: string | undefined): void {
    const { world, record } = this.#options
    world.witness.read(record.pair, ({ reached, register, why, pairs = 0 }) => {
      if (this.#isOver) return undefined
      this.#pairs = pairs
      if (!reached)
        return this.#fail(notNow(`the witness can not be written: ${why ?? 'no answer'}`))
      if (
        peer !== undefined &&
        register?.holder.kind === 'alone' &&
        holders(register)[0] === peer
      ) {
        return this.#fail(
          notNow(`the register names the peer, which lives: ${describeRegister(register)}`),
        )
      }
      if (this.#isSeedOnly) return this.#writeOverTheOwner(register, peer)
      if (register !== undefined && isTrusted(record.standingOf(register))) {
        if (this.#options.role.state !== 'halted') {
          return this.#fail(notNow(`the register is back: ${describeRegister(register)}`))
        }
      }
      return this.#write(register)
    })
    this.#endWithin()
  }

  /** Seeded and never named: the owner is dead if its address is answered under another incarnation. */
  #writeOverTheOwner(register: Register | undefined, peer: string | undefined): void {
    const { record, role, world } = this.#options
    if (peer !== undefined && peer === record.sessionOwner) {
      return this.#fail(notNow('the owner of the guest lives: let it name this side, or stop it'))
    }
    if (register?.nonce !== record.known?.nonce && isTrusted(record.standingOf(register))) {
      return this.#fail(notNow(`the register has moved on: ${describeRegister(register)}`))
    }
    const lost = `what the owner acknowledged after epoch ${record.epoch} is lost`
    world.trace.log('warn', `adopting a seed that was never named: ${lost}`, { role: role.role })
    return this.#write(register)
  }

  #write(shown: Register | undefined): void {
    const { world, record } = this.#options
    const base = this.#base
    if (base === undefined) return this.#fail(notNow('this side knows no register'))
    const holder = { kind: 'alone', owner: record.incarnation } as const
    const nonce = world.random.token()
    const next =
      shown?.nonce === base.nonce
        ? nextRegister(base, nonce, holder)
        : replacement(base, shown, nonce, holder)
    const from = shown ?? { pairs: this.#pairs }
    world.witness.grant()
    world.witness.compareAndSet(from, next, ({ reached, register, why }) => {
      if (this.#isOver) return undefined
      if (!reached)
        return this.#fail(notNow(`the witness can not be written: ${why ?? 'no answer'}`))
      if (register?.nonce !== next.nonce) {
        return this.#fail(notNow(`another write came first: ${describeRegister(register)}`))
      }
      return this.#won(next)
    })
    this.#endWithin()
  }

  #won(register: Register): void {
    const { record, role, answer, ended } = this.#options
    this.#isOver = true
    record.takeOver(register)
    this.#question?.end(register)
    ended()
    role.adoption('won')
    const lost = this.#isSeedOnly
      ? `; what was acknowledged after epoch ${record.epoch} is lost`
      : ''
    answer(done(`this side goes on with the guest, generation ${register.generation}${lost}`))
  }

  /** A witness that does not answer ends the verb; a write of its own that lands later is seen by the next read. */
  #endWithin(): void {
    const { world, delays } = this.#options
    const step = ++this.#steps
    const ms = 2 * delays.witnessTimeoutMs
    world.clock.setTimeout(() => {
      if (step === this.#steps) this.#fail(notNow(`the witness does not answer within ${ms} ms`))
    }, ms)
  }

  #fail(result: VerbResult, begun = true): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#question?.end(undefined)
    this.#options.ended()
    if (begun) this.#options.role.adoption('failed')
    this.#options.answer(result)
  }
}
