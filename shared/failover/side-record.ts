// What a side knows of itself, of the register and of its peer, whichever role it has. It outlives a role (a
// secondary that is promoted stays the same side), but not a life: a side that lost everything begins a new
// one, under a new incarnation, as a restarted process would.

import type { Generation, Incarnation, Register, Epoch } from '../protocol/register.ts'
import type { Role } from '../protocol/messages.ts'
import type { Disk } from '../ports.ts'
import type { Facts } from './survival.ts'

export class SideRecord {
  readonly told: Role
  readonly #disk: Disk
  incarnation: Incarnation
  register: Register | undefined
  /**
   * Learnt from whoever answers at the peer's address; never from callers. It proves who is dead only of those
   * whom the register named before the answer came: a newer register makes it unknown.
   */
  peer: Incarnation | undefined
  /** As it called itself; empty until it did. */
  peerName = ''
  /** The session that this side is or was in. */
  session = 0
  sessionOwner: Incarnation | undefined
  sessionGeneration: Generation = 0
  #seen: Generation
  #epoch: Epoch
  readonly #pair: string
  readonly #nonce: string

  constructor(told: Role, disk: Disk, incarnation: Incarnation) {
    const { pair, generation, nonce, epoch } = disk.load()
    this.#pair = pair
    this.#nonce = nonce
    this.told = told
    this.#disk = disk
    this.incarnation = incarnation
    this.#seen = generation
    this.#epoch = epoch
  }

  /** The newest generation seen, and the one that the next compare-and-set starts from. */
  get generation(): Generation {
    return this.#seen
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  /** Epochs only grow; a smaller one changes nothing. */
  reachedEpoch(epoch: Epoch): void {
    if (epoch > this.#epoch) this.#epoch = epoch
  }

  /** The witness showed this register. One that went backwards is remembered as it is, and judged. */
  saw(register: Register | undefined): void {
    if (register?.generation !== this.register?.generation) this.peer = undefined
    this.register = register
    if (register === undefined || register.generation <= this.#seen) return
    this.#seen = register.generation
    this.#save()
  }

  /** An operator says that the register is right, even if it is older than what this side has seen. */
  obey(register: Register | undefined): void {
    this.register = register
    this.#seen = register?.generation ?? 0
    this.#save()
  }

  /** A new life: nothing of the old one may be claimed by. */
  beginLife(incarnation: Incarnation): void {
    this.incarnation = incarnation
    this.session = 0
    this.sessionOwner = undefined
    this.sessionGeneration = 0
  }

  #save(): void {
    const [pair, nonce] = [this.#pair, this.#nonce]
    this.#disk.save({ pair, generation: this.#seen, nonce, epoch: this.#epoch })
  }

  facts(): Facts {
    return {
      register: this.register,
      me: this.incarnation,
      told: this.told,
      seen: this.#seen,
      peer: this.peer,
      session: this.session,
      sessionOwner: this.sessionOwner,
      sessionGeneration: this.sessionGeneration,
    }
  }
}
