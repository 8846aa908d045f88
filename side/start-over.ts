// `colo start-over`: a cold guest after every state was lost, on a side that holds nothing. The operator names the
// register that is replaced, by its generation and its owner, and says that the owner is dead. Refused if the
// owner, or a peer that holds the guest, answers. Nothing is granted or written before all of that is checked.
// After the write this side waits before it serves, so that an owner which lives after all and reaches the
// witness has read that it is replaced and has closed its clients (the statechart's `startingOver`).

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
import type { PeerAnswer } from './peer-question.ts'
import { Procedure } from './procedure.ts'

const OWNER_DIGITS = 4

export class StartOver extends Procedure<Secondary> {
  start(): void {
    const { role } = this.options
    if (!role.mayStartOver) {
      const what = 'start-over needs a side that is connecting or halted and holds no guest'
      return this.fail(`${role.role}, ${role.state}: ${what}`)
    }
    return this.readRegister((register, base) => {
      const flaw = this.#flawOf(register)
      if (flaw !== undefined) return this.fail(flaw)
      return this.askPeer((answer) => this.#peerAnswered(register, base, answer))
    })
  }

  protected tell(how: 'begun' | 'won' | 'failed'): void {
    this.options.role.startOver(how)
  }

  /** What does not fit in the operator's words; undefined if all does. */
  #flawOf(register: Register | undefined): string | undefined {
    const { record } = this.options
    const { generation, owner, ownerIsDead, forgetGeneration } = this.message
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
    const { record } = this.options
    const { generation, ownerIsDead, forgetGeneration } = this.message
    const { generation: seen } = record
    if (record.seen === undefined) return 'no pair was founded yet: start the primary with --new'
    if (generation === 0 && forgetGeneration === seen && ownerIsDead) return undefined
    const words = `--generation 0 --forget-generation ${seen} --owner none --owner-is-dead`
    return `the register is missing: bring it back; if it is lost for good, give ${words}`
  }

  #peerAnswered(register: Register | undefined, base: WriteBase, { standing }: PeerAnswer): void {
    const { world, record, delays } = this.options
    if (standing?.holdsState) {
      return this.fail('the peer holds the guest: colo adopt there goes on with it')
    }
    if (standing !== undefined && holders(register).includes(standing.incarnation)) {
      return this.fail('the owner that the register names answers at the address of the peer')
    }
    // The peer has started over, or founded a pair anew, and waits to serve.
    if (standing?.known !== undefined && holders(standing.known).includes(standing.incarnation)) {
      return this.fail('the peer owns the pair: this side joins it by itself')
    }
    const holder = { kind: 'alone', owner: record.incarnation } as const
    const nonce = world.random.token()
    const { seen } = record
    const next =
      register === undefined
        ? seen && coldReplacement(seen, nonce, holder)
        : nextRegister(register, nonce, holder, true)
    if (next === undefined) return this.fail('this side has seen no register')
    this.begin()
    const waitMs = DERIVED_DELAYS.coldStartMs(delays)
    const won = () => `the guest starts cold in ${waitMs} ms, generation ${next.generation}`
    return this.write(base, next, won)
  }
}
