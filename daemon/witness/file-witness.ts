// The witness `file`: the register as files in a folder that both sides reach (register-files.ts). At most one
// read and one write are under way: on a file system that hangs each call keeps a thread of Node's small pool,
// and the daemon needs the others. A question that comes meanwhile gets the same answer; a write that comes
// meanwhile waits.

import type { Witness, WitnessAnswer, WriteBase } from '../../shared/ports.ts'
import type { PairId, Register } from '../../shared/protocol/register.ts'
import { RegisterFiles, type Found } from './register-files.ts'

export class FileWitness implements Witness {
  readonly kind = 'file'
  readonly shared = true
  readonly warning = undefined
  readonly #files: RegisterFiles
  readonly #problem: (why: string | undefined) => void
  #reading: { readonly pair: PairId; readonly found: Promise<Found> } | undefined
  #writing: { readonly nonce: string; readonly after: Promise<Register | undefined> } | undefined

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
    if (this.#writing?.nonce !== next.nonce) {
      const write = () => this.#files.write(from, next)
      const after = this.#writing === undefined ? write() : this.#writing.after.then(write, write)
      const writing = { nonce: next.nonce, after }
      this.#writing = writing
      const over = () => {
        if (this.#writing === writing) this.#writing = undefined
      }
      after.then(over, over)
    }
    this.#writing.after.then(
      (register) => {
        this.#problem(undefined)
        answer({ reached: true, register })
      },
      (error: unknown) => this.#fail(error, answer),
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
