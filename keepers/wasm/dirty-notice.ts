// Tells the daemon's thread between two calls when so many pages are dirty that a checkpoint is due.

import { LIMITS } from '../../shared/protocol/limits.ts'
import type { GuestPages } from './guest-pages.ts'

/** Counting takes a few microseconds, so it is not done after each of many short calls. */
const COUNT_MS = 5

export class DirtyNotice {
  readonly #pages: GuestPages
  readonly #tell: (pages: number) => void
  #countedAt = 0

  constructor(pages: GuestPages, tell: (pages: number) => void) {
    this.#pages = pages
    this.#tell = tell
  }

  consider(): void {
    const now = performance.now()
    if (now - this.#countedAt < COUNT_MS) return
    this.#countedAt = now
    const { dirtyCount } = this.#pages
    if (dirtyCount >= LIMITS.dirtyPagesMax) this.#tell(dirtyCount)
  }
}
