// `colo adopt`: a side that holds the guest, and waits on a register that is missing, older or of another line,
// goes on with its state by an operator's word. And on a secondary that was seeded and never named, whose owner
// is dead. The register that is there is replaced by one compare-and-set, so that of two operators one wins.
//
// What keeps two guests from serving: the peer is asked first. One that serves, or knows a newer register, is a
// reason to refuse. One that waits as well promises to claim nothing until this verb has written or failed, and
// is told of the new register before this side serves. One that is silent may be dead or only cut off: that is
// for the operator to say. An owner that lives and reaches the witness has put an older register right within
// registerCheckMs, so three of these are waited for. (docs/protocol.md, "An operator's way out".)

import { holders } from '../shared/failover/survival.ts'
import type { WriteBase } from '../shared/ports.ts'
import {
  describeRegister,
  isTrusted,
  nextRegister,
  replacement,
  type Register,
} from '../shared/protocol/register.ts'
import type { PeerAnswer } from './peer-question.ts'
import { Procedure } from './procedure.ts'

export class Adoption extends Procedure {
  #isSeedOnly = false
  #known: Register | undefined

  start(): void {
    const { record, role, world, delays } = this.options
    const { generation } = this.message
    if (!role.canBeAdopted || record.known === undefined) {
      const what = 'adopt needs a side that holds the guest and waits for the witness'
      return this.fail(`${role.role}, ${role.state}: ${what}`)
    }
    if (generation !== record.generation) {
      const now = record.generation
      return this.fail(`this side knows generation ${now}: give --generation ${now}`)
    }
    this.#known = record.known
    this.#isSeedOnly = role.role === 'secondary' && role.isSeedOnly
    const needsNoWait = this.#isSeedOnly || role.state === 'halted'
    if (record.trouble === undefined && !needsNoWait) {
      return this.fail('the witness answers: this side asks it, and needs no verb')
    }
    this.begin()
    const lasts = world.clock.now() - (record.trouble?.since ?? world.clock.now())
    const rest = needsNoWait ? 0 : Math.max(0, 3 * delays.registerCheckMs - lasts)
    world.clock.setTimeout(() => {
      if (!this.isOver) this.askPeer((answer) => this.#peerAnswered(answer))
    }, rest)
    return undefined
  }

  protected tell(how: 'begun' | 'won' | 'failed'): void {
    this.options.role.adoption(how)
  }

  #peerAnswered({ standing, lives, why }: PeerAnswer): void {
    const { record } = this.options
    if (standing === undefined) {
      if (lives) return this.fail(`the peer lives and does not say how it stands: ${why}`)
      if (this.message.peerIsDead) return this.#look(undefined)
      const cut = 'a peer that is only cut off may be serving its clients'
      const way = 'give --peer-is-dead once you have made sure that it is dead'
      return this.fail(`the peer does not answer (${why}); ${cut}; ${way}`)
    }
    if (standing.serves) return this.fail('the peer serves the guest: stop it first')
    const { known } = standing
    const mine = this.#known
    if (standing.holdsState && known !== undefined && mine !== undefined) {
      if (known.earlier.includes(mine.nonce)) {
        const newer = describeRegister(known)
        return this.fail(`the peer knows a newer register (${newer}): adopt there`)
      }
      if (known.pair !== record.pair) return this.fail('the peer is of another pair')
    }
    return this.#look(standing.incarnation)
  }

  #look(peer: string | undefined): void {
    this.readRegister((register, base) => {
      const { record, role } = this.options
      const isAlone = register?.holder.kind === 'alone'
      if (peer !== undefined && isAlone && holders(register)[0] === peer) {
        return this.fail(`the register names the peer, which lives: ${describeRegister(register)}`)
      }
      if (this.#isSeedOnly) return this.#replaceOwner(register, base, peer)
      if (role.state !== 'halted' && isTrusted(record.standingOf(register))) {
        return this.fail(`the register is back: ${describeRegister(register)}`)
      }
      return this.#replace(register, base)
    })
  }

  /** Seeded and never named: the owner is dead if its address is answered under another incarnation. */
  #replaceOwner(register: Register | undefined, base: WriteBase, peer: string | undefined): void {
    const { record, role, world } = this.options
    if (peer !== undefined && peer === record.sessionOwner) {
      return this.fail('the owner of the guest lives: let it name this side, or stop it')
    }
    if (register?.nonce !== record.known?.nonce && isTrusted(record.standingOf(register))) {
      return this.fail(`the register has moved on: ${describeRegister(register)}`)
    }
    const lost = `what the owner acknowledged after epoch ${record.epoch} is lost`
    world.trace.log('warn', `adopting a seed that was never named: ${lost}`, { role: role.role })
    return this.#replace(register, base)
  }

  #replace(shown: Register | undefined, base: WriteBase): void {
    const { world, record } = this.options
    const known = this.#known
    if (known === undefined) return this.fail('this side knows no register')
    const holder = { kind: 'alone', owner: record.incarnation } as const
    const nonce = world.random.token()
    const next =
      shown?.nonce === known.nonce
        ? nextRegister(known, nonce, holder)
        : replacement(known, shown, nonce, holder)
    const won = () => {
      const lost = this.#isSeedOnly
        ? `; what was acknowledged after epoch ${record.epoch} is lost`
        : ''
      return `this side goes on with the guest, generation ${next.generation}${lost}`
    }
    return this.write(base, next, won, next)
  }
}
