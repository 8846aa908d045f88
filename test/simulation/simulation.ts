// One run: two sides with their real code and codec bytes on a virtual clock, network, witness, disk and guest.
// The seed chooses every delay, cut, crash, lost answer and verb; then everything heals, and the pair must be
// protected again and answer its clients. The checkers watch all the while.

import './small-limits.ts'
import type { Register } from '../../shared/protocol/register.ts'
import { holders } from '../../shared/failover/survival.ts'
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
import { trapsOf, type Trap } from './witness-traps.ts'

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
  /** The primary is started with an operator's word that the pair never ran. */
  readonly isNew: boolean
  connected = true
  handshakes = 0
  violation: string | undefined
  readonly #events: string[] | undefined
  readonly #triggers: Trigger[]
  #traps: readonly Trap[] = []
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
    this.witness.needsGrant = this.chance.happens(0.08)
    this.isNew = this.chance.happens(0.7)
    this.clients = new VirtualClients(this, CLIENTS)
    this.#traps = trapsOf(this)
    this.#triggers = this.#traps.length > 0 ? [] : planFaults(this, HORIZON_MS)
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
    for (const trap of this.#traps) {
      if (trap.moment === name) trap.strike(process)
    }
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

  forgive(): void {
    this.checkers.facts.forgiven = true
    this.clients.forgive()
  }

  command(process: Process, verb: 'failover' | 'failback' | 'pause' | 'resume' | 'stop'): void {
    process.run(process.life, () => {
      const waits = verb === 'failover' && process.side.state === 'claiming'
      // Who stops a lone owner lets go of the state.
      if (verb === 'stop' && process.side.state === 'standalone') this.forgive()
      process.side.command({ type: 'verb', id: 0, verb }, ({ ok }) => {
        if (ok && waits) this.witness.granted(process)
      })
    })
  }

  /** An operator adopts a side that waits, and says that the peer is dead only if it is. */
  adopt(process: Process): void {
    process.run(process.life, () => {
      const { generation } = process.side.record
      const peerIsDead = !process.other.alive || !process.other.side.record.holdsState
      const verb = { type: 'verb', id: 0, verb: 'adopt', generation, peerIsDead } as const
      // What is adopted may be an old seed, or the loser of a claim that both made.
      if (process.side.record.holdsState) this.checkers.facts.adopting = true
      this.witness.granted(process)
      process.side.command(verb, ({ ok, detail }) => {
        this.log('operator', () => `${process.name}: adopt: ${detail}`)
        if (ok) this.forgive()
      })
    })
  }

  /** Whoever stops both lets go of the state, once the register says so. */
  stopPair(process: Process): void {
    process.run(process.life, () => {
      process.side.command({ type: 'verb', id: 0, verb: 'stop', pair: true }, ({ ok }) => {
        process.ending = ok
      })
    })
  }

  /** As an operator should: only when nobody is left who holds the guest. */
  startOver(process: Process): void {
    if (!this.#isFounded() || this.#anyHolderLives()) return
    this.#startOver(process)
  }

  /**
   * Rule 12: a copy may be put back only when every living side that holds the guest has seen something newer
   * than the copy.
   */
  mayRestore(steps: number): boolean {
    const copy = this.witness.copyOf(steps)
    if (copy === undefined) return false
    return this.processes.every((one) => {
      if (!one.alive || !one.side.record.holdsState) return true
      return one.side.record.known?.earlier.includes(copy.nonce) ?? false
    })
  }

  /** Whether a side, or the disk of one, knows a register of this pair. */
  hasSeen(pair: string): boolean {
    return this.processes.some((one) => one.seenPair === pair)
  }

  /** Refused wherever it is asked: nobody says that the owner is dead. */
  askToStartOver(process: Process): void {
    process.run(process.life, () => {
      const { generation } = process.side.record
      const verb = { type: 'verb', id: 0, verb: 'start-over', generation } as const
      process.side.command(verb, ({ ok }) => {
        if (ok) this.violated(`${process.name} starts over without an operator's word`)
      })
    })
  }

  #isFounded(): boolean {
    return this.checkers.facts.forgiven || this.witness.authority !== undefined
  }

  #startOver(process: Process): void {
    process.run(process.life, () => {
      const { side } = process
      const register = side.record.shown
      if (side.role !== 'secondary') return
      const verb = {
        ...({ type: 'verb', id: 0, verb: 'start-over', ownerIsDead: true } as const),
        generation: register?.generation ?? 0,
        owner: holders(register)[0] ?? '',
        forgetGeneration: side.record.generation,
      }
      this.checkers.obeyed(register?.generation ?? 0)
      this.witness.startsOver = true
      side.command(verb, ({ ok, detail }) => {
        this.log('operator', () => `${process.name}: start-over: ${detail}`)
        if (ok) this.forgive()
      })
    })
  }

  #heal(): void {
    this.connected = true
    this.network.thaw()
    this.witness.awayFor = undefined
    this.witness.reachable = true
    this.witness.loss = 0
    this.witness.needsGrant = false
    this.witness.swapBack()
    this.#triggers.length = 0
    this.#traps = []
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
    for (const process of this.processes) {
      process.start()
      const { state, record, role } = process.side
      // A side that waits for an operator with the guest's state: it goes on, or gives the state up.
      if (state !== 'halted' || !record.holdsState) continue
      if (role === 'primary') this.adopt(process)
      else process.die(false)
    }
    if (this.time.now < HORIZON_MS + 500 || this.#anyHolderLives()) return
    // A pair that was never founded is not lost: whoever was told will found it.
    if (!this.#isFounded()) return
    // Halted, or a side that has seen nothing and finds a register that its founder never heard of.
    const waiting = this.processes.find(
      ({ side: { state, record } }) =>
        state === 'halted' || (state === 'connecting' && record.seen === undefined),
    )
    if (waiting) this.#startOver(waiting)
  }

  #anyHolderLives(): boolean {
    return this.livingHolders(this.witness.authority) > 0
  }

  /** How many of those whom a register names are alive. */
  livingHolders(register: Register | undefined): number {
    return holders(register).filter((incarnation) =>
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

export function simulate(seed: number, withEvents = false): Outcome {
  return new Simulation(seed, withEvents).run(seed)
}
