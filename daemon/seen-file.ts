// The only thing that a side remembers across its own death: how far the register had come, so that an older one is
// noticed. It is read once, at the start. Each change is written beside the daemon's work, a few times in a
// side's life.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Disk, Seen } from '../shared/ports.ts'
import { describeFileError } from '../terminal/file-reasons.ts'
import { RetriedWrite } from './retried-write.ts'
import type { Warnings } from './warnings.ts'
import { writeWholeFile } from './whole-file.ts'

const count = z.int().nonnegative()

/** Files of before have no pair and no nonce. */
const schema = z.object({
  pair: z.string().max(200).default(''),
  generation: count,
  nonce: z.string().max(200).default(''),
  epoch: count,
})

const NOTHING: Seen = { pair: '', generation: 0, nonce: '', epoch: 0 }

/** Throws one line that names the file and the way out if it is there and is not what save() writes. */
function readSeen(file: string): Seen {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NOTHING
    throw new Error(describeFileError(file, error, 'read'), { cause: error })
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    const what = text.trim() === '' ? 'it is empty' : 'it does not hold what a daemon writes there'
    throw new Error(`${file}: ${what}: remove it; this side then counts as new`, { cause: error })
  }
}

export class SeenFile implements Disk {
  readonly #seen: Seen
  readonly #write: RetriedWrite<Seen>

  /** Reads the file; throws if it is there and cannot be used. */
  constructor(file: string, retryMs: number, warnings: Warnings) {
    this.#seen = readSeen(file)
    this.#write = new RetriedWrite({
      name: 'seen file',
      path: file,
      meanwhile: 'a restart of this side does not know how far the register had come',
      retryMs,
      warnings,
      put: async (seen) => writeWholeFile(file, `${JSON.stringify(seen)}\n`, { sync: true }),
    })
  }

  /** What was there at the start. */
  load(): Seen {
    return this.#seen
  }

  save({ pair, generation, nonce, epoch }: Seen): void {
    this.#write.keep({ pair, generation, nonce, epoch })
  }

  async settled(): Promise<void> {
    return this.#write.settled()
  }

  dispose(): void {
    this.#write.dispose()
  }
}
