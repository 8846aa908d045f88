// Two witnesses without shared storage: each side keeps the register that it knows of in a folder of its own,
// and learns of the peer's writes by the control channel. `operator` grants a claim only when a person says so;
// `none` grants every claim at once, so that a partition ends with two guests serving, and says so always.

import type { Witness, WitnessAnswer } from '../../shared/ports.ts'
import type { Generation, Holder, Register } from '../../shared/protocol/register.ts'
import { FileWitness } from './file-witness.ts'

const WARNINGS = {
  operator:
    'a failover waits for `colo failover`: grant it only when the other side is surely dead',
  none: 'split brain is possible: without a witness a partition ends with two guests serving',
} as const

export class GrantingWitness implements Witness {
  readonly kind: 'operator' | 'none'
  readonly shared = false
  readonly warning: string
  readonly #own: FileWitness
  readonly #problem: (why: string) => void
  #last: Register | undefined
  #granted = false

  constructor(kind: 'operator' | 'none', folder: string, problem: (why: string) => void) {
    this.kind = kind
    this.warning = WARNINGS[kind]
    this.#problem = problem
    this.#own = new FileWitness(folder, problem)
  }

  read(answer: (answer: WitnessAnswer) => void): void {
    this.#own.read((found) => {
      this.#last = found.register
      answer(found)
    })
  }

  /** A claim, which follows a pair, is answered only once it is granted; until then nobody is reached. */
  compareAndSet(from: Generation, holder: Holder, answer: (answer: WitnessAnswer) => void): void {
    const claims = holder.kind === 'alone' && this.#last?.holder.kind === 'pair'
    if (claims && this.kind === 'operator' && !this.#granted) {
      answer({ reached: false, register: undefined })
      return
    }
    this.#granted = false
    this.#own.compareAndSet(from, holder, (after) => {
      this.#last = after.register
      answer(after)
    })
  }

  learn(register: Register): void {
    this.#last = register
    this.#own.keep(register).catch((error: unknown) => {
      this.#problem(error instanceof Error ? error.message : String(error))
    })
  }

  grant(): void {
    this.#granted = true
  }
}
