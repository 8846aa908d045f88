// Asks the witness one thing at a time and turns its answer into a verdict of the truth table. An answer counts
// only in the state that asked: leaving that state gives the question up, and an answer to it, however late, is
// dropped whole. Were its register kept and only its verdict missed, a lost claim would be repeated from the
// register just read, and win.
//
// A write is made from the register that this side knows, and a retry sends the same register again, its nonce
// included: so a write that landed unheard is recognised, and one that lands late can land only once.

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

interface Write {
  readonly from: WriteBase
  readonly next: Register
}

export class WitnessClient {
  readonly #options: WitnessClientOptions
  #asked = 0
  #write: Write | undefined
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
    if (!this.#isWrite(shown, this.#alone)) {
      this.#write = { from: shown, next: replacement(known, shown, random.token(), this.#alone) }
    }
    this.#send('owned')
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

  /** Whether the write that was sent last is this one, so that it is sent again as it was. */
  #isWrite(from: WriteBase, holder: Holder): boolean {
    if (this.#write === undefined || !sameHolder(this.#write.next.holder, holder)) return false
    return nonceOf(this.#write.from) === nonceOf(from)
  }

  #put(at: Moment, from: WriteBase, holder: Holder, cold = false): void {
    const { random } = this.#options
    if (!this.#isWrite(from, holder)) {
      const next =
        'nonce' in from
          ? nextRegister(from, random.token(), holder, cold)
          : firstRegister(random.token(), random.token(), holder)
      this.#write = { from, next }
    }
    this.#send(at)
  }

  #send(at: Moment): void {
    if (this.#write === undefined) return
    const { from, next } = this.#write
    this.#options.witness.compareAndSet(from, next, this.#answerTo(at))
  }

  #answerTo(at: Moment): (answer: WitnessAnswer) => void {
    const { record, clock, verdict } = this.#options
    const question = ++this.#asked
    return (answer) => {
      if (question !== this.#asked) return
      this.#asked++
      const given = judge(at, record.saw(answer, clock.now(), this.#write?.next))
      this.#failures = given === 'unreachable' ? this.#failures + 1 : 0
      verdict(given)
    }
  }
}

function nonceOf(from: WriteBase): string | undefined {
  return 'nonce' in from ? from.nonce : undefined
}
