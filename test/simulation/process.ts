// One daemon of the simulation: the real `Side` between virtual ports. It can die (everything it had under way is
// dropped; its disk stays), start again under the same orders, and be stopped for a while and continued, when
// all that came meanwhile happens at once.

import type { Clock, OutputPort, Seen, Trace } from '../../shared/ports.ts'
import { Side } from '../../side/side.ts'
import type { Simulation } from './simulation.ts'
import { returnBuffer, VirtualGuest } from './virtual-guest.ts'

export class Process {
  readonly name: 'a' | 'b'
  readonly told: 'primary' | 'secondary'
  readonly #simulation: Simulation
  other!: Process
  alive = false
  life = 0
  side!: Side
  guest!: VirtualGuest
  serving = false
  /** Its guest trapped or did not come up in time: what it held is lost with it. */
  guestDied = false
  /** An operator has stopped the pair here: whatever comes, this life serves nobody any more. */
  ending = false
  #disk: Seen = { pair: '', generation: 0, nonce: '', epoch: 0 }
  #stopped = false
  #waiting: (() => void)[] = []
  /** Timers that ran out meanwhile: a process that is continued looks at these first. */
  #overdue: (() => void)[] = []

  constructor(simulation: Simulation, name: 'a' | 'b') {
    this.#simulation = simulation
    this.name = name
    this.told = name === 'a' ? 'primary' : 'secondary'
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Its host is replaced: what it had seen is gone with it. */
  loseDisk(): void {
    this.die(true)
    this.#disk = { pair: '', generation: 0, nonce: '', epoch: 0 }
  }

  /** What its disk knows, as the next life will. */
  get seenPair(): string {
    return this.#disk.pair
  }

  start(): void {
    if (this.alive) return
    const simulation = this.#simulation
    this.alive = true
    this.guestDied = false
    this.ending = false
    this.life++
    this.guest = new VirtualGuest(simulation, this)
    const { life } = this
    this.side = new Side({
      world: {
        clock: this.#clock(),
        random: { token: () => simulation.chance.token() },
        network: simulation.network.portOf(this),
        guest: this.guest,
        output: this.#output(),
        witness: simulation.witness.portOf(simulation, this),
        disk: {
          load: () => ({ ...this.#disk }),
          save: (seen) => {
            this.#disk = { ...seen }
          },
        },
        trace: this.#trace(),
      },
      identity: { pair: 'simulated', token: 'token', guest: this.guest.identity },
      name: this.name,
      told: this.told,
      isNew: this.told === 'primary' && simulation.isNew && life === 1,
      delays: simulation.delays,
      failback: 'auto',
      crashed: (error) => this.crashed(error),
      stopped: () => {
        if (life === this.life) this.die(false)
      },
    })
    this.guest.handlers = this.side.guest
    simulation.checkers.started(this)
    simulation.log(this.name, () => `started, life ${this.life}`)
    this.run(life, () => this.side.start())
  }

  /** `hostToo`: nobody is told, not even by a reset. */
  die(hostToo: boolean): void {
    if (!this.alive) return
    this.#simulation.log(this.name, () => (hostToo ? 'its host dies' : 'dies'))
    this.alive = false
    this.life++
    this.serving = false
    this.#stopped = false
    this.#waiting = []
    this.#overdue = []
    this.#simulation.network.died(this, hostToo)
    this.#simulation.clients.lostAll(this)
    returnBuffer(this.guest.store)
  }

  pause(): void {
    if (!this.alive || this.#stopped) return
    this.#simulation.log(this.name, () => 'is stopped')
    this.#stopped = true
  }

  resume(): void {
    if (!this.#stopped) return
    this.#simulation.log(this.name, () => 'is continued')
    this.#stopped = false
    this.#simulation.checkers.continued(this)
    for (const run of [...this.#overdue.splice(0), ...this.#waiting.splice(0)]) {
      if (this.#stopped || !this.alive) return
      this.#guarded(run)
    }
  }

  /** Something happens in this process, if it still is the same life. */
  run(life: number, what: () => void): void {
    if (life !== this.life || !this.alive) return
    if (this.#stopped) this.#waiting.push(() => life === this.life && what())
    else this.#guarded(what)
  }

  #guarded(what: () => void): void {
    try {
      what()
    } catch (error) {
      this.#simulation.violated(`${this.name} threw: ${(error as Error).stack ?? String(error)}`)
    }
    this.#simulation.checkers.look(this)
  }

  /** An action of a statechart threw: the daemon would exit. */
  crashed(error: unknown): void {
    this.#simulation.violated(`${this.name} crashed: ${(error as Error).stack ?? String(error)}`)
  }

  #clock(): Clock {
    const { time, chance } = this.#simulation
    const { life } = this
    const later = (delay: number, callback: () => void) => {
      const timer = time.at(time.now + delay, () => {
        if (life !== this.life || !this.alive) return
        const fire = () => {
          if (!timer.cancelled && life === this.life) callback()
        }
        if (this.#stopped) this.#overdue.push(fire)
        else this.#guarded(fire)
      })
      return timer
    }
    return {
      now: () => time.now,
      setTimeout: (callback, delayMs) => later(delayMs + chance.between(0, 0.3), callback),
      clearTimeout: (handle) => time.cancel(handle),
      soon: (callback) => void later(chance.delay(1), callback),
    }
  }

  #output(): OutputPort {
    const { checkers, clients } = this.#simulation
    return {
      write: (connection, bytes) => {
        checkers.released(this, bytes)
        clients.answered(this, connection, bytes)
      },
      close: (connection) => clients.closed(this, connection),
      reset: (connection) => clients.closed(this, connection),
      serve: (mode) => {
        this.serving = mode === 'yes'
        if (!this.serving) return
        checkers.serves(this)
        this.#simulation.moment('won', this)
      },
      closeAll: () => clients.lostAll(this),
      pauseInput: () => {},
    }
  }

  #trace(): Trace {
    const simulation = this.#simulation
    return {
      log: (_, message, fields) =>
        simulation.log(this.name, () => `${message} ${JSON.stringify(fields ?? {})}`),
      error: (code, detail) => {
        if (code === 'guest-died') this.guestDied = true
        if (code === 'guest-state-lost') simulation.checkers.saidGone(this)
        simulation.log(this.name, () => `${code}: ${detail}`)
      },
      checkpoint: (row) => {
        if (row.outcome === 'committed') simulation.handshakes++
        simulation.log(this.name, () => `checkpoint ${row.epoch} ${row.trigger} ${row.outcome}`)
      },
      failover: (row) => simulation.log(this.name, () => `failover ${JSON.stringify(row)}`),
      changed: () => {
        if (this.side.state === 'protected') simulation.moment('protected', this)
      },
    }
  }
}
