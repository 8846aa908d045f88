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
  readonly #fresh: KeptInput[] = []
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

  /** An input from outside. Raises Finding. */
  seed(bytes: Uint8Array): void {
    if (bytes.length <= this.#target.inputBytesMax) this.#try(bytes, false)
  }

  /** One more input of our own, or some, if the last one showed something new. Raises Finding. */
  next(): void {
    const fresh = this.#fresh.pop()
    if (fresh !== undefined) return this.#exchangeAll(fresh)
    const parent = this.kept.choose(this.#chance)
    if (parent === undefined) throw new Error('there are no seeds')
    const other = this.kept.choose(this.#chance)?.bytes ?? parent.bytes
    this.#try(this.#mutator.child(parent, other), true)
  }

  #try(bytes: Uint8Array, isOurs: boolean): void {
    this.#run(bytes, false)
    const shows = this.kept.consider(bytes, this.#probes.c, () => {
      this.#run(bytes, true)
      return this.#probes.pairs
    })
    const kept = this.kept.all.at(-1)
    if (shows === undefined || kept === undefined) return
    if (isOurs) this.#keep(bytes)
    if (shows === 'new') this.#fresh.push(kept)
  }

  /** Makes each two values equal that were compared, once. */
  #exchangeAll({ bytes, pairs }: KeptInput): void {
    let left = EXCHANGES_MAX
    for (const pair of pairs) {
      for (const { from, to } of exchangesFor(pair)) {
        for (const at of placesOf(bytes, from, PLACES_MAX)) {
          if (left-- === 0) return
          const child = exchanged(bytes, at, from, to)
          if (child.length <= this.#target.inputBytesMax) this.#try(child, true)
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
