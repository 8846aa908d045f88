// One run: two sides with their real code and codec bytes on a virtual clock, network, witness, disk and guest.
// The seed chooses every delay, cut, crash, lost answer and verb; then everything heals, and the pair must be
// protected again and answer its clients. The checkers watch all the while.

import './small-limits.ts'
import type { Holder, Register } from '../../shared/protocol/register.ts'
import { Chance } from './chance.ts'
import { Checkers } from './checkers/checkers.ts'
import { planFaults, type Trigger } from './fault-plan.ts'
import { Process } from './process.ts'
import type { Delays } from '../../shared/protocol/delays.ts'
import { simulatedDelays } from './simulated-delays.ts'
import { VirtualClients } from './virtual-clients.ts'
import { returnBuffer } from './virtual-guest.ts'
import { VirtualNetwork } from './virtual-network.ts'
import { VirtualTime } from './virtual-time.ts'
import { VirtualWitness } from './virtual-witness.ts'

const HORIZON_MS = 700
const HEALING_MS = 4000
const STEP_MS = 20
const CLIENTS = 3

export interface Outcome {
  readonly seed: number
  readonly violation: string | undefined
  readonly handshakes: number
  readonly events: readonly string[]
}

export class Simulation {
  readonly chance: Chance
  readonly delays: Delays
  readonly time = new VirtualTime()
  readonly checkers: Checkers
  readonly witness = new VirtualWitness()
  readonly network: VirtualNetwork
  readonly processes: readonly [Process, Process]
  readonly clients: VirtualClients
  readonly latency: number
  connected = true
  handshakes = 0
  violation: string | undefined
  readonly #events: string[] | undefined
  readonly #triggers: Trigger[]
  #instances = 0

  constructor(seed: number, withEvents: boolean) {
    this.chance = new Chance(seed)
    this.delays = simulatedDelays(this.chance)
    this.#events = withEvents ? [] : undefined
    this.checkers = new Checkers(this)
    this.network = new VirtualNetwork(this)
    const [a, b] = [new Process(this, 'a'), new Process(this, 'b')]
    a.other = b
    b.other = a
    this.processes = [a, b]
    this.latency = this.chance.pick([0.05, 0.3, 1, 3])
    this.witness.loss = this.chance.pick([0, 0, 0.1, 0.4])
    this.clients = new VirtualClients(this, CLIENTS)
    this.#triggers = planFaults(this, HORIZON_MS)
    this.time.at(0, () => a.start())
    this.time.at(this.chance.between(0, 30), () => b.start())
  }

  run(seed: number): Outcome {
    const over = () => this.violation !== undefined
    this.time.runUntil(HORIZON_MS, over)
    if (!over()) this.#heal()
    for (const process of this.processes) {
      if (process.alive) returnBuffer(process.guest.store)
    }
    const { violation, handshakes } = this
    return { seed, violation, handshakes, events: this.#events ?? [] }
  }

  log(who: string, what: () => string): void {
    this.#events?.push(`${this.time.now.toFixed(2).padStart(9)} ${who.padEnd(8)} ${what()}`)
  }

  violated(what: string): void {
    if (this.violation !== undefined) return
    this.violation = what
    this.log('VIOLATION', () => what)
  }

  nextInstance(): number {
    return ++this.#instances
  }

  /** Something happened at which a fault may wait to strike. */
  moment(name: string, process: Process): void {
    for (const trigger of this.#triggers) {
      if (trigger.moment === name && --trigger.nth === 0) trigger.strike(process)
    }
  }

  sentReady(process: Process): void {
    this.checkers.sentReady(process)
    this.moment('ready', process)
  }

  applied(process: Process): void {
    this.checkers.applied(process)
  }

  /** Which ends hear of a cut. */
  noticed(): readonly number[] {
    return this.chance.pick([[0, 1], [0, 1], [0], [1], []])
  }

  forgive(): void {
    this.checkers.facts.forgiven = true
    this.clients.forgive()
  }

  command(process: Process, verb: 'failover' | 'failback' | 'pause' | 'resume' | 'stop'): void {
    process.run(process.life, () => {
      // Who stops a lone owner lets go of the state.
      if (verb === 'stop' && process.side.state === 'standalone') this.forgive()
      process.side.command({ type: 'verb', id: 0, verb })
    })
  }

  /** An operator adopts only when the owner is surely dead. */
  adopt(process: Process): void {
    process.run(process.life, () => {
      if (this.#anyHolderLives()) return
      const { ok } = process.side.command({ type: 'verb', id: 0, verb: 'adopt' })
      if (!ok) return
      this.checkers.facts.adopting = true
      this.forgive()
    })
  }

  /** Whoever stops both lets go of the state, once the register says so. */
  stopPair(process: Process): void {
    process.run(process.life, () => {
      const { ok } = process.side.command({ type: 'verb', id: 0, verb: 'stop', pair: true })
      process.ending = ok
    })
  }

  /** As an operator should: only when nobody is left who holds the guest. */
  startOver(process: Process): void {
    if (!this.#isFounded() || this.#anyHolderLives()) return
    this.#startOver(process)
  }

  #isFounded(): boolean {
    return this.checkers.facts.forgiven || this.witness.register !== undefined
  }

  #startOver(process: Process): void {
    process.run(process.life, () => {
      const generation = process.side.record.register?.generation ?? 0
      const verb = { type: 'verb', id: 0, verb: 'start-over', generation } as const
      if (process.side.state !== 'halted') return
      this.checkers.obeyed(this.witness.register?.generation ?? 0)
      if (!process.side.command(verb).ok) return
      this.log('operator', () => `${process.name}: start-over at ${generation}`)
      this.forgive()
    })
  }

  #heal(): void {
    this.connected = true
    this.network.thaw()
    this.witness.awayFor = undefined
    this.witness.reachable = true
    this.witness.loss = 0
    this.#triggers.length = 0
    for (const process of this.processes) {
      process.resume()
      process.start()
      this.command(process, 'resume')
    }
    this.log('healing', () => 'everything works from here on')
    const until = HORIZON_MS + HEALING_MS
    const over = () => this.violation !== undefined
    while (this.time.now < until && !over()) {
      this.time.runUntil(this.time.now + STEP_MS, over)
      if (this.#isWhole()) break
      this.#operate()
    }
    if (over()) return
    if (!this.#isWhole()) {
      const states = this.processes.map(
        (one) => `${one.name} ${JSON.stringify(one.side.stateValue)}`,
      )
      return this.violated(`no progress: ${states.join(', ')}`)
    }
    const { answers } = this.clients
    const waiting = () => over() || this.clients.answers >= answers + 10
    this.time.runUntil(this.time.now + 1000, waiting)
    if (this.clients.answers < answers + 10) this.violated('no progress: clients are not answered')
  }

  /** A faultless operator: starts dead processes, and starts over once nobody has the state. */
  #operate(): void {
    for (const process of this.processes) process.start()
    if (this.time.now < HORIZON_MS + 500 || this.#anyHolderLives()) return
    // A pair that was never founded is not lost: whoever was told will found it.
    if (!this.checkers.facts.forgiven && this.witness.register === undefined) return
    const halted = this.processes.find((one) => one.side.state === 'halted')
    if (halted) this.#startOver(halted)
  }

  #anyHolderLives(): boolean {
    return this.livingHolders(this.witness.register) > 0
  }

  /** How many of those whom a register names are alive. */
  livingHolders(register: Register | undefined): number {
    return holdersOf(register?.holder).filter((incarnation) =>
      this.processes.some((one) => one.alive && one.side.record.incarnation === incarnation),
    ).length
  }

  #isWhole(): boolean {
    const states = this.processes.map((one) => (one.alive && !one.ending ? one.side.state : 'dead'))
    const roles = this.processes.map((one) => one.side.role).toSorted()
    return (
      states.every((state) => state === 'protected') &&
      roles[0] === 'primary' &&
      roles[1] === 'secondary'
    )
  }
}

function holdersOf(holder: Holder | undefined): readonly string[] {
  if (holder?.kind === 'alone') return [holder.owner]
  return holder?.kind === 'pair' ? [holder.primary, holder.secondary] : []
}

export function simulate(seed: number, withEvents = false): Outcome {
  return new Simulation(seed, withEvents).run(seed)
}
