// The only thing that a side remembers across its own death: how far generations and epochs had come, so that a
// register which is older is noticed. Written whole and renamed into place; a few times in a side's life.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { z } from 'zod'
import type { Disk, Seen } from '../shared/ports.ts'

const schema = z.object({
  pair: z.string().default(''),
  generation: z.int().nonnegative(),
  nonce: z.string().default(''),
  epoch: z.int().nonnegative(),
})

export class SeenFile implements Disk {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Throws if the file is there and is not what save() writes. */
  load(): Seen {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return { pair: '', generation: 0, nonce: '', epoch: 0 }
      throw error
    }
    return schema.parse(JSON.parse(text))
  }

  save(seen: Seen): void {
    const draft = `${this.#file}.draft`
    const file = openSync(draft, 'w')
    writeSync(file, `${JSON.stringify(seen)}\n`)
    fsyncSync(file)
    closeSync(file)
    renameSync(draft, this.#file)
  }
}
