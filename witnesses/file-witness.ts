// The witness `file`: the register as files in a folder that both sides reach (register-files.ts). At most one
// read and one write are under way: on a file system that hangs each call keeps a thread of Node's small pool,
// and the daemon needs the others. A question that comes meanwhile gets the same answer, and so does a retry of
// the write under way; another write waits, and takes the place of one that waited.

import type { Witness, WitnessAnswer, WriteBase } from '../shared/ports.ts'
import { sameHolder, type PairId, type Register } from '../shared/protocol/register.ts'
import { RegisterFiles, type Found } from './register-files.ts'

type Answer = (answer: WitnessAnswer) => void

interface Write {
  readonly from: WriteBase
  readonly next: Register
  readonly answers: Answer[]
}

const nonceOf = (from: WriteBase) => ('nonce' in from ? from.nonce : undefined)

/** Another attempt at what is under way: the first one answers for both. */
function isRetry(one: Write, other: Write): boolean {
  return (
    one.next.pair === other.next.pair &&
    nonceOf(one.from) === nonceOf(other.from) &&
    sameHolder(one.next.holder, other.next.holder)
  )
}

export class FileWitness implements Witness {
  readonly kind = 'file'
  readonly shared = true
  readonly warning = undefined
  readonly #files: RegisterFiles
  readonly #problem: (why: string | undefined) => void
  #reading: { readonly pair: PairId; readonly found: Promise<Found> } | undefined
  #writing: Write | undefined
  #waiting: Write | undefined

  /** `problem` hears why the folder could not be used, and undefined when it can be used again. */
  constructor(files: RegisterFiles, problem: (why: string | undefined) => void) {
    this.#files = files
    this.#problem = problem
  }

  read(pair: PairId, answer: (answer: WitnessAnswer) => void): void {
    if (this.#reading?.pair !== pair) {
      const found = this.#files.read(pair)
      const reading = { pair, found }
      this.#reading = reading
      const over = () => {
        if (this.#reading === reading) this.#reading = undefined
      }
      found.then(over, over)
    }
    this.#reading.found.then(
      ({ register, pairs }) => {
        this.#problem(undefined)
        answer({ reached: true, register, pairs })
      },
      (error: unknown) => this.#fail(error, answer),
    )
  }

  compareAndSet(from: WriteBase, next: Register, answer: (answer: WitnessAnswer) => void): void {
    const write: Write = { from, next, answers: [answer] }
    if (this.#writing === undefined) this.#begin(write)
    else if (isRetry(this.#writing, write)) this.#writing.answers.push(answer)
    // The one that waited has been given up, and may get no answer.
    else this.#waiting = write
  }

  #begin(write: Write): void {
    this.#writing = write
    const over = (tell: (answer: Answer) => void) => {
      this.#writing = undefined
      const next = this.#waiting
      this.#waiting = undefined
      if (next !== undefined) this.#begin(next)
      write.answers.forEach(tell)
    }
    this.#files.write(write.from, write.next).then(
      (register) => {
        this.#problem(undefined)
        over((answer) => answer({ reached: true, register }))
      },
      (error: unknown) => over((answer) => this.#fail(error, answer)),
    )
  }

  learn(): void {}

  grant(): void {}

  #fail(error: unknown, answer: (answer: WitnessAnswer) => void): void {
    const why = error instanceof Error ? error.message : String(error)
    this.#problem(why)
    answer({ reached: false, register: undefined, why })
  }
}
