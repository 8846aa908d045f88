// The loop: runs inputs, keeps those that show something new, changes those that are kept. It stops at the first
// finding.

import { Chance } from './chance.ts'
import { exchangesFor, placesOf } from './encodings.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import type { Constant } from './instrument.ts'
import { KeptInputs, type KeptInput } from './kept-inputs.ts'
import { exchanged, Mutator } from './mutator.ts'
import type { Probes } from './probes.ts'

/** An input that does what must not happen, and what that is. */
export class Finding extends Error {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, message: string, cause?: unknown) {
    super(message, { cause })
    this.bytes = bytes
  }
}

const EXCHANGES_MAX = 512
const PLACES_MAX = 4

export class FuzzLoop {
  readonly kept: KeptInputs
  executions = 0
  /** What came of the inputs. */
  readonly outcomes = new Map<string, number>()
  /** The most that was used of each bound, as a fraction. */
  steps = 0
  allocated = 0
  readonly #target: FuzzTarget
  readonly #probes: Probes
  readonly #chance: Chance
  readonly #mutator: Mutator
  /** Kept inputs whose compared values are still to be made equal, and those of the one under way. */
  readonly #fresh: KeptInput[] = []
  #exchanges: Generator<Uint8Array> = (function* none() {})()
  readonly #watch: (bytes: Uint8Array) => void
  readonly #keep: (bytes: Uint8Array) => void

  /** `watch` hears each input before it is run, `keep` each that is kept. */
  constructor(
    target: FuzzTarget,
    probes: Probes,
    constants: readonly Constant[],
    seed: number,
    hears: { watch: (bytes: Uint8Array) => void; keep: (bytes: Uint8Array) => void },
  ) {
    this.#target = target
    this.#probes = probes
    this.#chance = new Chance(seed)
    this.#mutator = new Mutator(this.#chance, constants, target.inputBytesMax)
    this.kept = new KeptInputs(probes.c.length)
    this.#watch = hears.watch
    this.#keep = hears.keep
  }

  /** An input from outside, or one that an `earlier` run kept and has looked at closely. Raises Finding. */
  seed(bytes: Uint8Array, isEarlier = false): void {
    if (bytes.length > this.#target.inputBytesMax) return
    if (this.#try(bytes) === 'new' && !isEarlier) this.#fresh.push(...this.kept.all.slice(-1))
  }

  /** One more input of our own. Raises Finding. */
  next(): void {
    const bytes = this.#chance.below(2) === 0 ? this.#exchanged() : this.#mutated()
    const shows = this.#try(bytes)
    if (shows !== undefined) this.#keep(bytes)
    if (shows === 'new') this.#fresh.push(...this.kept.all.slice(-1))
  }

  #mutated(): Uint8Array {
    const parent = this.kept.choose(this.#chance)
    if (parent === undefined) throw new Error('there are no seeds')
    const other = this.kept.choose(this.#chance)?.bytes ?? parent.bytes
    return this.#mutator.child(parent, other)
  }

  /** Of a new input the next one in which two values are equal that were compared. */
  #exchanged(): Uint8Array {
    for (;;) {
      const next = this.#exchanges.next()
      if (next.done !== true) return next.value
      const fresh = this.#fresh.pop()
      if (fresh === undefined) return this.#mutated()
      this.#exchanges = this.#exchangesOf(fresh)
    }
  }

  #try(bytes: Uint8Array): 'new' | 'shorter' | undefined {
    this.#run(bytes, false)
    return this.kept.consider(bytes, this.#probes.c, () => {
      this.#run(bytes, true)
      return this.#probes.pairs
    })
  }

  *#exchangesOf({ bytes, pairs }: KeptInput): Generator<Uint8Array> {
    let left = EXCHANGES_MAX
    for (const pair of pairs) {
      for (const { from, to } of exchangesFor(pair)) {
        for (const at of placesOf(bytes, from, PLACES_MAX)) {
          if (left-- === 0) return
          const child = exchanged(bytes, at, from, to)
          if (child.length <= this.#target.inputBytesMax) yield child
        }
      }
    }
  }

  #run(bytes: Uint8Array, isNoting: boolean): void {
    this.executions++
    this.#watch(bytes)
    this.#probes.begin(isNoting)
    let outcome: string
    try {
      outcome = this.#target.run(bytes.slice())
    } catch (error) {
      throw new Finding(bytes, String(error), error)
    }
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    this.#bound(bytes)
  }

  #bound(bytes: Uint8Array): void {
    const { steps, stepsPerByte, allocated, allocatedPerByte } = this.#target.bounds
    const taken = this.#probes.c.reduce((sum, hits) => sum + hits, 0)
    const ofSteps = taken / (steps + stepsPerByte * bytes.length)
    const ofBytes = this.#probes.allocated / (allocated + allocatedPerByte * bytes.length)
    this.steps = Math.max(this.steps, ofSteps)
    this.allocated = Math.max(this.allocated, ofBytes)
    if (ofSteps > 1) throw new Finding(bytes, `${taken} steps for ${bytes.length} bytes`)
    if (ofBytes > 1) {
      throw new Finding(bytes, `${this.#probes.allocated} bytes allocated for ${bytes.length}`)
    }
  }
}
