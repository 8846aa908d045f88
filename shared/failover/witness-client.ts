// Asks the witness one thing at a time and turns its answer into a verdict of the truth table. An answer counts
// only in the state that asked: whoever leaves it gives the question up, and an answer to that one, however
// late, is dropped whole. Were its register kept and only its verdict missed, a lost claim would be repeated
// from the generation just read, and win.

import { type Moment, type Verdict, judge } from './survival.ts'
import type { SideRecord } from './side-record.ts'
import type { Generation, Holder } from '../protocol/register.ts'
import type { Witness, WitnessAnswer } from '../ports.ts'

export class WitnessClient {
  readonly #witness: Witness
  readonly #record: SideRecord
  readonly #verdict: (verdict: Verdict | 'unreachable') => void
  #asked = 0

  constructor(
    witness: Witness,
    record: SideRecord,
    verdict: (verdict: Verdict | 'unreachable') => void,
  ) {
    this.#witness = witness
    this.#record = record
    this.#verdict = verdict
  }

  read(at: Moment): void {
    this.#witness.read(this.#answerTo(at))
  }

  write(at: Moment, from: Generation, holder: Holder): void {
    this.#witness.compareAndSet(from, holder, this.#answerTo(at))
  }

  /** Whatever was asked no longer matters. */
  forget(): void {
    this.#asked++
  }

  #answerTo(at: Moment): (answer: WitnessAnswer) => void {
    const question = ++this.#asked
    return (answer) => {
      if (question !== this.#asked) return
      this.#asked++
      if (!answer.reached) return this.#verdict('unreachable')
      this.#record.saw(answer.register)
      this.#verdict(judge(at, this.#record.facts()))
    }
  }
}
