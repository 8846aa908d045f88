// A witness whose register is real and whose answers wait: a scenario says when each question is carried out,
// answered, or lost on its way there or back.

import type { Witness, WitnessAnswer, WriteBase } from '../../shared/ports.ts'
import type { Holder, PairId, Register } from '../../shared/protocol/register.ts'

interface Question {
  /** Carries it out; returns the register as it then is. */
  readonly run: () => Register | undefined
  readonly answer: (answer: WitnessAnswer) => void
}

export class ScriptedWitness implements Witness {
  readonly kind = 'scripted'
  readonly shared = true
  readonly warning = undefined
  register: Register | undefined
  /** True: every question is answered at once, as soon as the asker has finished. */
  answersAtOnce = false
  readonly #say: (line: string) => void
  readonly #soon: (callback: () => void) => void
  readonly #show: (holder: Holder) => string
  #waiting: Question[] = []

  constructor(
    say: (line: string) => void,
    soon: (callback: () => void) => void,
    show: (holder: Holder) => string,
  ) {
    this.#say = say
    this.#soon = soon
    this.#show = show
  }

  read(_pair: PairId, answer: (answer: WitnessAnswer) => void): void {
    this.#say('witness: read')
    this.#ask({ run: () => this.register, answer })
  }

  compareAndSet(from: WriteBase, next: Register, answer: (answer: WitnessAnswer) => void): void {
    const base = 'nonce' in from ? from : undefined
    this.#say(`witness: write ${this.#show(next.holder)} from ${base?.generation ?? 'nothing'}`)
    this.#ask({
      run: () => {
        if (this.register?.nonce === base?.nonce) this.register = next
        return this.register
      },
      answer,
    })
  }

  learn(): void {}

  grant(): void {
    this.#say('witness: grant')
  }

  #ask(question: Question): void {
    this.#waiting.push(question)
    if (this.answersAtOnce) this.#soon(() => this.answer())
  }

  #next(): Question {
    const question = this.#waiting.shift()
    if (question === undefined) throw new Error('nothing was asked of the witness')
    return question
  }

  answer(): void {
    const { run, answer } = this.#next()
    const register = run()
    answer({ reached: true, register, pairs: register === undefined ? 0 : 1 })
  }

  /** The question was carried out, but nobody learns of it. */
  loseAnswer(): void {
    this.#next().run()
  }

  loseQuestion(): void {
    this.#next()
  }

  fail(): void {
    this.#next().answer({ reached: false, register: undefined, why: 'as scripted' })
  }

  get questions(): number {
    return this.#waiting.length
  }
}
