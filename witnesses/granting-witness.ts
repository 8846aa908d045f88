// Two witnesses without shared storage: each side keeps the register that it knows of in a folder of its own,
// and learns of the peer's writes by the control channel. `operator` grants a claim only when a person says so;
// `none` grants every claim at once, so that a partition ends with two guests serving, and says so always.

import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { registerSchema } from '../shared/protocol/control-messages.ts'
import type { Witness, WitnessAnswer, WriteBase } from '../shared/ports.ts'
import type { PairId, Register } from '../shared/protocol/register.ts'
import type { FileUse } from '../terminal/file-reasons.ts'
import { makeFolder, namedError, syncFolder } from './folders.ts'

const WARNINGS = {
  operator:
    'a failover waits for `colo failover`: grant it only when the other side is surely dead',
  none: 'split brain is possible: without a witness a partition ends with two guests serving',
} as const

export class GrantingWitness implements Witness {
  readonly kind: 'operator' | 'none'
  readonly shared = false
  readonly warning: string
  readonly #folder: string
  readonly #problem: (why: string | undefined) => void
  /** What is on disk, or on its way there; undefined until it was read. */
  #own: Register | undefined
  #isRead = false
  #granted = false
  /** One write after the other; it never rejects. */
  #written: Promise<string | undefined> = Promise.resolve(undefined)

  constructor(
    kind: 'operator' | 'none',
    folder: string,
    problem: (why: string | undefined) => void,
  ) {
    this.kind = kind
    this.warning = WARNINGS[kind]
    this.#folder = folder
    this.#problem = problem
  }

  read(_pair: PairId, answer: (answer: WitnessAnswer) => void): void {
    this.#load().then(
      () => {
        this.#problem(undefined)
        answer({ reached: true, register: this.#own, pairs: this.#own === undefined ? 0 : 1 })
      },
      (error: unknown) => this.#fail(this.#named(error, 'read'), answer),
    )
  }

  /** A claim, which follows a pair, is answered only once it is granted; until then nobody is reached. */
  compareAndSet(from: WriteBase, next: Register, answer: (answer: WitnessAnswer) => void): void {
    const claims = next.holder.kind === 'alone' && 'holder' in from && from.holder.kind === 'pair'
    if (claims && this.kind === 'operator' && !this.#granted) {
      answer({ reached: false, register: undefined, why: 'waits for `colo failover`' })
      return
    }
    this.#granted = false
    const write = async () => {
      await this.#load()
      if (this.#own?.nonce === ('nonce' in from ? from.nonce : undefined)) await this.#keep(next)
    }
    this.#enqueue(write, (why) => {
      if (why !== undefined) return this.#fail(why, answer)
      return answer({ reached: true, register: this.#own })
    })
  }

  /** The peer's word counts, whatever this side knew: it comes from the owner of the guest. */
  learn(register: Register): void {
    if (register.nonce === this.#own?.nonce) return
    this.#enqueue(
      () => this.#keep(register),
      (why) => this.#problem(why),
    )
  }

  grant(): void {
    this.#granted = true
  }

  #enqueue(write: () => Promise<void>, over: (why: string | undefined) => void): void {
    this.#written = this.#written.then(write).then(
      () => undefined,
      (error: unknown) => this.#named(error, 'write'),
    )
    this.#written.then(over, over)
  }

  get #file(): string {
    return join(this.#folder, 'register')
  }

  async #load(): Promise<void> {
    if (this.#isRead) return
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#isRead = true
      return
    }
    try {
      this.#own ??= registerSchema.parse(JSON.parse(text))
    } catch (error) {
      throw new Error(`${this.#file} is no register: remove it, and this side counts as new`, {
        cause: error,
      })
    }
    this.#isRead = true
  }

  /** Whole under another name, synced, renamed: after a power cut it is the old one or the new one. */
  async #keep(register: Register): Promise<void> {
    await makeFolder(this.#folder, { mkdir, open })
    const draft = `${this.#file}.draft`
    const file = await open(draft, 'w')
    try {
      await file.writeFile(`${JSON.stringify(register)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, this.#file)
    await syncFolder(this.#folder, { mkdir, open })
    this.#own = register
    this.#isRead = true
  }

  #named(error: unknown, use: FileUse): string {
    const named = namedError(error, this.#file, use)
    return named instanceof Error ? named.message : String(named)
  }

  #fail(why: string, answer: (answer: WitnessAnswer) => void): void {
    this.#problem(why)
    answer({ reached: false, register: undefined, why })
  }
}
