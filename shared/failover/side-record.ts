// What a side knows of itself, of the register and of its peer, whichever role it has. It outlives a role (a
// secondary that is promoted stays the same side), but not a life: a side that lost everything begins a new
// one, under a new incarnation, as a restarted process would.

import { PoisonMarks } from '../poison.ts'
import { invariant } from '../protocol/invariants.ts'
import {
  STANDINGS,
  describeRegister,
  isTrusted,
  standingOf,
  type Epoch,
  type Generation,
  type Incarnation,
  type Register,
  type RegisterId,
  type Standing,
} from '../protocol/register.ts'
import type { Role } from '../protocol/words.ts'
import type { Disk, WitnessAnswer } from '../ports.ts'
import type { Facts } from './survival.ts'

/** Why the witness decides nothing at present, and since when. */
export interface WitnessTrouble {
  /** `unreached`: it did not answer. Otherwise what its register is to this side. */
  readonly standing: Standing | 'unreached'
  readonly text: string
  /** In the milliseconds of the clock. */
  readonly since: number
}

export class SideRecord {
  readonly told: Role
  /** An operator vouches that this pair never ran, so that nobody need be asked before it is founded. */
  isNew: boolean
  readonly #disk: Disk
  incarnation: Incarnation
  /** What the witness showed last, obeyed or not. */
  shown: Register | undefined
  /** How many pairs had a register at the witness when it answered last. */
  pairs = 0
  /** Undefined while the witness answers with a register that may be obeyed. */
  trouble: WitnessTrouble | undefined
  /**
   * Learnt from whoever answers at the peer's address; never from callers. It proves who is dead only of those
   * whom the register named before the answer came: a newer register makes it unknown.
   */
  peer: Incarnation | undefined
  /** The peer was asked what it knows of this pair, or could not be reached. */
  peerAsked = false
  /** The peer answered, in this life of the process, that it has never seen a register of this pair. */
  peerIsNew = false
  /** As it called itself; empty until it did. */
  peerName = ''
  /** Of the package that this side runs, and of the peer's; for people. Undefined: nobody said. */
  packageVersion: string | undefined
  peerPackageVersion: string | undefined
  /** The session that this side is or was in. */
  session = 0
  sessionOwner: Incarnation | undefined
  /** What guests of this pair died of, on this side or the other. */
  readonly poison = new PoisonMarks()
  /** This side has a whole copy of the guest, or runs it: it obeys only registers of its own line. */
  holdsState = false
  #known: Register | undefined
  #seen: RegisterId | undefined
  #epoch: Epoch

  constructor(told: Role, disk: Disk, incarnation: Incarnation, isNew = false) {
    const { pair, generation, nonce, epoch } = disk.load()
    this.told = told
    this.isNew = isNew
    this.#disk = disk
    this.incarnation = incarnation
    this.#seen = pair === '' ? undefined : { pair, generation, nonce }
    this.#epoch = epoch
  }

  /** The newest register of its line that this side has seen in this process, whole: what its writes start from. */
  get known(): Register | undefined {
    return this.#known
  }

  /** The same, as far as it outlives the process; undefined if this side has seen no register of the pair. */
  get seen(): RegisterId | undefined {
    return this.#seen
  }

  get pair(): string {
    return this.#seen?.pair ?? ''
  }

  get generation(): Generation {
    return this.#seen?.generation ?? 0
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  /** Epochs only grow; a smaller one changes nothing. */
  reachedEpoch(epoch: Epoch): void {
    if (epoch > this.#epoch) this.#epoch = epoch
  }

  /** This side was told to be the primary, and nobody has said yet that the pair is new. */
  get isUnvouched(): boolean {
    return this.told === 'primary' && this.#seen === undefined && this.peerAsked
  }

  describeUnvouched(): string {
    const others = this.pairs === 0 ? 'no register' : `${this.pairs} registers of other pairs`
    const way = 'if this pair never ran, start this side with --new'
    return `the witness has ${others}, and the peer does not say that this pair is new: ${way}`
  }

  describeShown(): string {
    return describeRegister(this.shown)
  }

  describeTrouble(): string {
    return this.trouble?.text ?? this.describeShown()
  }

  standingOf(register: Register | undefined): Standing {
    return standingOf(register, this.#seen, this.holdsState)
  }

  /**
   * The witness answered, or failed to. A register that may be obeyed becomes the known one; any other is only
   * noted as trouble. `written`: how this side wants to found the pair; the pair is its own by that.
   * Returns the facts for the truth table, as they were before anything was learnt.
   */
  saw(answer: WitnessAnswer, now: number, written?: Register): Facts {
    if (answer.reached) {
      this.shown = answer.register
      this.pairs = answer.pairs ?? 0
    }
    const { register } = answer
    const isFounded = this.#seen === undefined && register?.nonce === written?.nonce
    const standing = answer.reached ? this.#standingOf(register, isFounded) : 'unreached'
    const facts = this.#facts(standing)
    if (this.#seen === undefined && answer.reached) {
      this.trouble = undefined
      if (register !== undefined && isFounded) this.#learn(register)
    } else if (standing === 'unreached' || register === undefined || !isTrusted(standing)) {
      this.#troubled(standing, answer.why, now)
    } else {
      this.trouble = undefined
      this.#learn(register)
    }
    return facts
  }

  /** A look that decides nothing: only the trouble is noted. True if it began or is over. */
  looked(answer: WitnessAnswer, now: number): boolean {
    const before = this.trouble
    const standing = answer.reached ? this.standingOf(answer.register) : 'unreached'
    if (answer.reached) this.shown = answer.register
    if (standing === 'unreached' || !isTrusted(standing)) this.#troubled(standing, answer.why, now)
    else this.trouble = undefined
    return (before === undefined) !== (this.trouble === undefined)
  }

  /** For a side that knows no pair every register is another pair's, but the one that it has just written. */
  #standingOf(register: Register | undefined, isFounded: boolean): Standing {
    if (this.#seen !== undefined) return this.standingOf(register)
    if (register === undefined) return 'missing'
    return isFounded ? 'newer' : 'foreign'
  }

  /** This side wrote this register, or one like it was handed to it by the owner that it joins. */
  takeOver(register: Register): void {
    this.shown = register
    this.trouble = undefined
    this.#learn(register)
  }

  /** The peer has seen this pair; this side, which has not, looks for its register from here on. */
  heardOf(seen: RegisterId): void {
    if (this.#seen !== undefined) return
    this.#seen = { ...seen }
    this.#save()
  }

  #troubled(standing: Standing | 'unreached', why: string | undefined, now: number): void {
    const what =
      standing === 'unreached' ? (why ?? 'the witness does not answer') : STANDINGS[standing]
    const shown = standing === 'unreached' ? '' : ` (${describeRegister(this.shown)})`
    const text = `${what}${shown}; this side knows generation ${this.generation}`
    this.trouble = { standing, text, since: this.trouble?.since ?? now }
  }

  #learn(register: Register): void {
    const { pair, generation, nonce } = register
    if (nonce !== this.#known?.nonce) this.peer = undefined
    invariant(
      !this.holdsState || generation >= this.generation,
      'only-forward',
      `generation ${generation} obeyed after ${this.generation} by a side that holds the guest`,
    )
    this.#known = register
    if (this.#seen?.nonce === nonce) return
    this.#seen = { pair, generation, nonce }
    this.#save()
  }

  #save(): void {
    const { pair, generation, nonce } = this.#seen ?? { pair: '', generation: 0, nonce: '' }
    this.#disk.save({ pair, generation, nonce, epoch: this.#epoch })
  }

  /** Somebody else founded a pair here at the same moment: neither word holds any more. */
  doubtNewness(): void {
    this.isNew = false
    this.peerIsNew = false
  }

  /** A new life: claims made in the old one are void. */
  beginLife(incarnation: Incarnation): void {
    this.incarnation = incarnation
    this.session = 0
    this.sessionOwner = undefined
    this.holdsState = false
  }

  #facts(standing: Standing | 'unreached'): Facts {
    const { shown } = this
    return {
      register: shown,
      standing,
      isAncestor: shown !== undefined && (this.#known?.earlier.includes(shown.nonce) ?? false),
      me: this.incarnation,
      told: this.told,
      hasSeen: this.#seen !== undefined,
      mayFound:
        (this.isNew && this.peerAsked) ||
        (this.peerIsNew && shown === undefined && this.pairs === 0),
      knownColdSince: this.#known?.coldSince ?? 0,
      peer: shown?.nonce === this.#known?.nonce ? this.peer : undefined,
      session: this.session,
      sessionOwner: this.sessionOwner,
    }
  }
}
