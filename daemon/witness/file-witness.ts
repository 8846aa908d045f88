// The register as files: generation N is the file `gen-N`, written whole under another name, synced, and put in
// its place by link(), which fails for all but one of those who try. Files are never deleted, so whoever comes
// late finds who won. Serves one machine, or several over a file system whose link() is atomic.

import { link, mkdir, open, readFile, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { registerSchema } from '../../shared/control/messages.ts'
import type { Witness, WitnessAnswer } from '../../shared/ports.ts'
import {
  sameHolder,
  type Generation,
  type Holder,
  type Register,
} from '../../shared/protocol/register.ts'

const UNREACHED: WitnessAnswer = { reached: false, register: undefined }

export class FileWitness implements Witness {
  readonly kind = 'file'
  readonly shared = true
  readonly warning = undefined
  readonly #folder: string
  readonly #problem: (why: string) => void
  #tries = 0

  /** `problem` hears why the folder could not be used; the asker is told that the witness is not reached. */
  constructor(folder: string, problem: (why: string) => void) {
    this.#folder = folder
    this.#problem = problem
  }

  read(answer: (answer: WitnessAnswer) => void): void {
    this.#answer(this.#newest(), answer)
  }

  compareAndSet(from: Generation, holder: Holder, answer: (answer: WitnessAnswer) => void): void {
    this.#answer(this.#write(from, { generation: from + 1, holder }), answer)
  }

  learn(): void {}

  grant(): void {}

  /** A register that another witness vouches for: kept if it is newer than what is here. */
  async keep(register: Register): Promise<void> {
    const newest = await this.#newest()
    if (newest === undefined || newest.generation < register.generation) await this.#put(register)
  }

  #answer(register: Promise<Register | undefined>, answer: (answer: WitnessAnswer) => void): void {
    register.then(
      (found) => answer({ reached: true, register: found }),
      (error: unknown) => {
        this.#problem(error instanceof Error ? error.message : String(error))
        answer(UNREACHED)
      },
    )
  }

  async #newest(): Promise<Register | undefined> {
    await mkdir(this.#folder, { recursive: true })
    let newest = 0
    for (const name of await readdir(this.#folder)) {
      const match = /^gen-(\d+)$/.exec(name)
      if (match) newest = Math.max(newest, Number(match[1]))
    }
    if (newest === 0) return undefined
    const file = join(this.#folder, `gen-${newest}`)
    return registerSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  }

  async #write(from: Generation, register: Register): Promise<Register | undefined> {
    const newest = await this.#newest()
    if ((newest?.generation ?? 0) === from) await this.#put(register)
    const after = await this.#newest()
    const won =
      after?.generation === register.generation && sameHolder(after.holder, register.holder)
    return won ? register : after
  }

  /** True if this call put it there; false if somebody was first. */
  async #put(register: Register): Promise<boolean> {
    const name = `gen-${register.generation}`
    const draft = join(this.#folder, `draft-${process.pid}-${this.#tries++}-${name}`)
    const file = await open(draft, 'wx')
    try {
      await file.writeFile(`${JSON.stringify(register)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    try {
      await link(draft, join(this.#folder, name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      return false
    } finally {
      await unlink(draft)
    }
    const folder = await open(this.#folder, 'r')
    await folder.sync()
    await folder.close()
    return true
  }
}
