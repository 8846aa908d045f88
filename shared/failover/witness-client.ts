// Asks the witness one thing at a time and turns its answer into a verdict of the truth table. An answer counts
// only in the state that asked: leaving that state gives the question up, and an answer to it, however late, is
// dropped whole. Were its register kept and only its verdict missed, a lost claim would be repeated from the
// register just read, and win.
//
// A write is made from the register that this side knows, and every attempt has a nonce of its own. Were a retry the
// same register again, an attempt that is late could land a second time on a store that was put back to an older
// copy, and bring back the very register from which the other side's late claim was made: two would serve
// (docs/protocol.md, "Weaker rules that fail"). What landed unheard is recognised by whom it names. Only the
// founding is repeated as it was: nobody else can know its register, and its pair must keep its id.

import { judge, type Moment, type Verdict } from './survival.ts'
import type { SideRecord } from './side-record.ts'
import {
  firstRegister,
  nextRegister,
  replacement,
  sameHolder,
  type Holder,
  type Register,
} from '../protocol/register.ts'
import type { Delays } from '../protocol/delays.ts'
import type { Clock, Random, Witness, WitnessAnswer, WriteBase } from '../ports.ts'

export interface WitnessClientOptions {
  readonly witness: Witness
  readonly record: SideRecord
  readonly clock: Clock
  readonly random: Random
  readonly delays: Delays
  readonly verdict: (verdict: Verdict) => void
}

export class WitnessClient {
  readonly #options: WitnessClientOptions
  #asked = 0
  #founding: Register | undefined
  #failures = 0

  constructor(options: WitnessClientOptions) {
    this.#options = options
  }

  /** How long to rest before the next question: longer and longer while the witness decides nothing. */
  get backOffMs(): number {
    const { witnessRetryMs, witnessRetryMaxMs } = this.#options.delays
    return Math.min(witnessRetryMs * 2 ** Math.max(0, this.#failures - 1), witnessRetryMaxMs)
  }

  read(at: Moment): void {
    const { witness, record } = this.#options
    witness.read(record.pair, this.#answerTo(at))
  }

  /** Founds the pair: from nothing, or from a register that says `stopped`. */
  writeFirst(): void {
    this.#put('claimed', this.#base, this.#alone, true)
  }

  /** Writes alone(me) from the register that this side knows. */
  writeAlone(): void {
    this.#put('claimed', this.#base, this.#alone)
  }

  writePair(holder: Holder): void {
    this.#put('paired', this.#base, holder)
  }

  /** The register that the witness shows is an older copy: continues this side's line on it. */
  writeForward(): void {
    const { record, random } = this.#options
    const { known, shown } = record
    if (known === undefined || shown === undefined) return
    this.#send('owned', shown, replacement(known, shown, random.token(), this.#alone))
  }

  /** Whatever was asked no longer matters. */
  forget(): void {
    this.#asked++
  }

  get #alone(): Holder {
    return { kind: 'alone', owner: this.#options.record.incarnation }
  }

  get #base(): WriteBase {
    const { record } = this.#options
    return record.known ?? { pairs: record.pairs }
  }

  #put(at: Moment, from: WriteBase, holder: Holder, cold = false): void {
    const { random } = this.#options
    if ('nonce' in from) {
      return this.#send(at, from, nextRegister(from, random.token(), holder, cold))
    }
    if (this.#founding === undefined || !sameHolder(this.#founding.holder, holder)) {
      this.#founding = firstRegister(random.token(), random.token(), holder)
    }
    return this.#send(at, from, this.#founding)
  }

  #send(at: Moment, from: WriteBase, next: Register): void {
    this.#options.witness.compareAndSet(from, next, this.#answerTo(at))
  }

  #answerTo(at: Moment): (answer: WitnessAnswer) => void {
    const { record, clock, verdict } = this.#options
    const question = ++this.#asked
    return (answer) => {
      if (question !== this.#asked) return
      this.#asked++
      const given = judge(at, record.saw(answer, clock.now(), this.#founding))
      this.#failures = given === 'unreachable' ? this.#failures + 1 : 0
      verdict(given)
    }
  }
}
