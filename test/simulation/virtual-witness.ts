// The register behind a network of its own: a question may be lost on the way there or its answer on the way
// back, answers come late, and a write may land long after its writer has given up. The store itself has faults:
// it disappears, shows the register of another pair, or is put back to an older copy, and the true one comes
// back later. What lands is a compare-and-set exactly as the port says.
//
// `authority` is what the checkers judge by: the newest register that grew from the one before it. A late write
// that lands on an older copy is in the store and has no authority; a write that continues the true line on a
// copy (a repair, an operator's adopt) has it, and from then on the true store must never come back.

import type { Witness, WitnessAnswer, WriteBase } from '../../shared/ports.ts'
import type { PairId, Register } from '../../shared/protocol/register.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'

const UNREACHED: WitnessAnswer = { reached: false, register: undefined, why: 'simulated' }

/** All registers of each pair, the newest last. */
type Store = ReadonlyMap<PairId, readonly Register[]>

interface Write {
  readonly from: WriteBase
  readonly next: Register
}

const SENT_KEPT = 11

/** What is in the place of the true store. */
type Swap = 'missing' | 'foreign' | 'older'

export class VirtualWitness {
  reachable = true
  awayFor: Process | undefined
  /** What this one asks is done, and its answers get lost. */
  deafFor: Process | undefined
  /** Shares of questions and answers that get lost. */
  loss = 0
  /** A claim that follows a pair waits for an operator's word, as under `--witness operator`. */
  needsGrant = false
  authority: Register | undefined
  /** An operator's start-over is under way: the cold register that it writes has authority. */
  startsOver = false
  readonly #granted = new Set<Process>()
  #store: Store = new Map()
  /** The newest writes that were sent, whatever became of them. */
  #sent: readonly Write[] = []
  /** An attempt lands once at most. */
  readonly #landed = new Set<string>()
  /** The true store, while another one is in its place. */
  #away: Store | undefined
  #isForeign = false

  get #pair(): PairId {
    return this.authority?.pair ?? ''
  }

  get #chain(): readonly Register[] {
    return this.#store.get(this.#pair) ?? []
  }

  /** What is shown now of the pair that the checkers watch. */
  get register(): Register | undefined {
    return this.#isForeign ? foreign(this.#chain.at(-1)) : this.#chain.at(-1)
  }

  get isTrue(): boolean {
    return this.#away === undefined && !this.#isForeign
  }

  /** The store is put back to the register of `steps` changes ago. */
  copyOf(steps: number): Register | undefined {
    return this.#chain.at(-1 - steps)
  }

  swap(what: Swap, steps: number): void {
    this.#away ??= this.#store
    this.#isForeign = what === 'foreign'
    if (what === 'missing') this.#store = new Map()
    if (what === 'older') this.#goBack(steps)
  }

  #goBack(steps: number): void {
    const chain = this.#chain.slice(0, Math.max(0, this.#chain.length - steps))
    const store = new Map(this.#store)
    if (chain.length > 0) store.set(this.#pair, chain)
    else store.delete(this.#pair)
    this.#store = store
  }

  /** The true store is back; writes that landed meanwhile are gone, unless one continued the true line. */
  swapBack(): void {
    this.#isForeign = false
    if (this.#away === undefined) return
    if (this.register?.nonce !== this.authority?.nonce) this.#store = this.#away
    this.#away = undefined
  }

  /** Writes that were sent long ago and never landed may land now, on the copy from which they were made. */
  replay(simulation: Simulation): void {
    const { chance, time } = simulation
    for (const { from, next } of this.#sent) {
      if (this.#landed.has(next.nonce) || !chance.happens(0.5)) continue
      const late = chance.between(1, 80)
      time.at(time.now + late, () => void this.#write(simulation, from, next))
    }
  }

  /** For good: the copy is the register from here on. */
  goBack(steps: number): void {
    this.#goBack(steps)
    this.#away = undefined
    this.authority = this.register
  }

  /** An operator's verb was accepted that lets a claim of this process pass. */
  granted(process: Process): void {
    this.#granted.add(process)
  }

  /** The port of one process to it. */
  portOf(simulation: Simulation, process: Process): Witness {
    const ask = (what: () => Register | undefined, answer: (answer: WitnessAnswer) => void) => {
      this.#ask(simulation, process, what, answer)
    }
    let isGranted = false
    return {
      kind: 'virtual',
      shared: true,
      warning: undefined,
      learn() {},
      grant() {
        isGranted = true
      },
      read: (pair, answer) => ask(() => this.#read(pair), answer),
      compareAndSet: (from, next, answer) => {
        simulation.moment(`asked:${next.holder.kind}`, process)
        this.#sent = [...this.#sent.slice(-SENT_KEPT), { from, next }]
        const claims =
          next.holder.kind === 'alone' && 'holder' in from && from.holder.kind === 'pair'
        if (claims && this.needsGrant) {
          if (!isGranted) return answer(UNREACHED)
          const isCold = next.coldSince === next.generation
          if (!isCold && !this.#granted.has(process)) {
            simulation.violated(`${process.name} claims what nobody granted`)
          }
        }
        isGranted = false
        this.#granted.delete(process)
        return ask(() => this.#write(simulation, from, next), answer)
      },
    }
  }

  #read(pair: PairId): Register | undefined {
    if (pair !== '') {
      const last = this.#store.get(pair)?.at(-1)
      return this.#isForeign ? foreign(last) : last
    }
    const [only, ...more] = this.#store.values()
    return more.length === 0 ? only?.at(-1) : undefined
  }

  #ask(
    simulation: Simulation,
    process: Process,
    what: () => Register | undefined,
    answer: (answer: WitnessAnswer) => void,
  ): void {
    const { chance, time } = simulation
    const { life } = process
    const tell = (reply: WitnessAnswer) => {
      time.at(time.now + chance.delay(2), () => process.run(life, () => answer(reply)))
    }
    time.at(time.now + chance.delay(2), () => {
      if (!this.reachable || this.awayFor === process) {
        // A write may land long after its writer has given it up.
        if (chance.happens(0.3)) time.at(time.now + chance.between(1, 250), () => void what())
        return chance.happens(0.5) ? tell(UNREACHED) : undefined
      }
      if (chance.happens(this.loss)) return undefined
      const register = what()
      const pairs = this.#store.size
      if (this.deafFor === process) return undefined
      return chance.happens(this.loss) ? undefined : tell({ reached: true, register, pairs })
    })
  }

  #write(simulation: Simulation, from: WriteBase, next: Register): Register | undefined {
    const last = this.#store.get(next.pair)?.at(-1)
    // A foreign store has room for another pair, but not the register that the writer knows.
    if (this.#isForeign) return this.#read(next.pair)
    if ('pairs' in from && this.#store.size !== from.pairs) return this.#read(next.pair)
    const base = 'nonce' in from ? from.nonce : undefined
    // A repair, or an operator's verb, continues the writer's line on what is there in its place.
    const replaces = next.generation > 1 && next.earlier.at(-1) !== base
    if (last?.nonce === base) this.#land(simulation, next, replaces)
    return this.#read(next.pair)
  }

  #land(simulation: Simulation, next: Register, replaces: boolean): void {
    this.#landed.add(next.nonce)
    const chain = this.#store.get(next.pair) ?? []
    this.#store = new Map(this.#store).set(next.pair, [...chain, next])
    const { authority } = this
    const isCold = next.coldSince === next.generation
    const grows =
      authority === undefined ||
      replaces ||
      next.earlier.includes(authority.nonce) ||
      (isCold && this.startsOver) ||
      // A pair whose only register nobody has heard of is founded anew.
      (next.generation === 1 && !simulation.hasSeen(authority.pair))
    if (isCold) this.startsOver = false
    simulation.log(
      'witness',
      () => `${grows ? '' : 'on a copy: '}${JSON.stringify({ ...next, earlier: undefined })}`,
    )
    // The same write sent again may land in another store than the first time.
    if (!grows || next.nonce === authority?.nonce) return
    this.authority = next
    this.#away = undefined
    if (replaces) simulation.checkers.replaced(next)
    else simulation.checkers.registered(next)
    if (next.holder.kind === 'stopped') simulation.forgive()
  }
}

function foreign(register: Register | undefined): Register | undefined {
  if (register === undefined) return undefined
  const zeros = '0'.repeat(32)
  return { ...register, pair: zeros, nonce: zeros, earlier: [] }
}
