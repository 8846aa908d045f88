// All checkers of a run, told of everything that they watch. The first of them that finds something ends it.

import type { Register } from '../../../shared/protocol/register.ts'
import type { RuleName } from '../../../shared/protocol/invariants.ts'
import type { Process } from '../process.ts'
import type { Simulation } from '../simulation.ts'
import { Facts, type Captured } from './facts.ts'
import { NamedDeadlines } from './named-deadlines.ts'
import { checkAlone, checkCold, checkProtected, checkServes } from './one-server.ts'
import { OnlyForward } from './only-forward.ts'
import { checkGoesOn, checkReleased } from './output-commit.ts'
import { checkApplied, checkLoaded, checkReady } from './whole-checkpoints.ts'

export class Checkers {
  readonly facts = new Facts()
  readonly #simulation: Simulation
  readonly #forward = new OnlyForward()
  readonly #deadlines = new NamedDeadlines()
  readonly #incarnations = new Map<Process, string>()
  /** Who held the guest when it was last looked at. */
  readonly #holding = new Set<Process>()
  #startsOver = false

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  started(process: Process): void {
    this.facts.started(process)
    this.#incarnations.delete(process)
    this.#holding.delete(process)
    this.#forward.started(process)
    this.#deadlines.started(process, this.#simulation.time.now)
  }

  continued(process: Process): void {
    this.#deadlines.continued(process, this.#simulation.time.now)
  }

  captured(process: Process, captured: Captured): void {
    this.facts.captured(process, captured)
  }

  sentReady(process: Process): void {
    this.#judge('whole-checkpoints', checkReady(this.facts, process))
  }

  applied(process: Process): void {
    this.#judge('whole-checkpoints', checkApplied(this.facts, process))
  }

  loaded(process: Process, digest: string): void {
    this.#judge('whole-checkpoints', checkLoaded(this.facts, process, digest))
    this.#judge('output-commit', checkGoesOn(this.facts, process))
  }

  released(process: Process, bytes: Uint8Array): void {
    const register = this.#simulation.witness.authority
    this.#judge('output-commit', checkReleased(this.facts, register, process, bytes))
  }

  serves(process: Process): void {
    this.#judge('one-server', checkServes(this.#simulation.witness.authority, process))
  }

  cold(process: Process): void {
    this.#judge('one-server', checkCold(process, this.#startsOver))
    this.#startsOver = false
  }

  registered(register: Register): void {
    this.#judge('only-forward', this.#forward.registered(register))
  }

  /** A register that the writer did not know may have been newer; it was lost with its store. */
  replaced(register: Register): void {
    this.#forward.obeyed(register.generation)
  }

  /** An operator starts over: the register is right as it is, and acknowledged writes are lost. */
  obeyed(generation: number): void {
    this.facts.forgiven = true
    this.#startsOver = true
    this.#forward.obeyed(generation)
  }

  /** A side says that the state of the guest is lost, by the register that it has just read. */
  saidGone(process: Process): void {
    const register = process.side.record.shown
    const living = this.#simulation.livingHolders(register)
    if (living === 0) return
    this.#judge(
      'one-server',
      `${process.name} says the guest is lost, but ${living} hold it: ${JSON.stringify(register)}`,
    )
  }

  #reborn(process: Process): void {
    const { incarnation, holdsState } = process.side.record
    const old = this.#incarnations.get(process)
    const held = this.#holding.has(process)
    this.#incarnations.set(process, incarnation)
    if (holdsState) this.#holding.add(process)
    else this.#holding.delete(process)
    if (!held) return
    if (old === undefined || old === incarnation || process.guestDied) return
    const holder = this.#simulation.witness.authority?.holder
    const named =
      (holder?.kind === 'alone' && holder.owner === old) ||
      (holder?.kind === 'pair' && (holder.primary === old || holder.secondary === old))
    if (named)
      this.#judge('whole-checkpoints', `${process.name} forgot a guest that the register gives it`)
  }

  /** After everything that happens in a process. */
  look(process: Process): void {
    if (!process.alive) return
    this.#reborn(process)
    this.#judge('one-server', checkAlone(this.#simulation.processes))
    this.#judge('only-forward', this.#forward.look(process, this.facts.forgiven))
    const { witness, time } = this.#simulation
    this.#judge('one-server', checkProtected(witness.authority, process))
    this.#judge('named-deadlines', this.#deadlines.look(process, time.now))
    const answers =
      witness.reachable &&
      witness.loss === 0 &&
      witness.isTrue &&
      !witness.needsGrant &&
      witness.awayFor !== process
    const late = this.#deadlines.lookAtClaim(process, witness.authority, answers, time.now)
    this.#judge('named-deadlines', late)
  }

  #judge(rule: RuleName, finding: string | undefined): void {
    if (finding) this.#simulation.violated(`${rule}: ${finding}`)
  }
}
