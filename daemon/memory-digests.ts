// The digest of the guest's memory for operators. It reads all of it, so it is computed in slices of a few
// milliseconds, one digest at a time: those who ask meanwhile share the next one. The memory may change while
// it is read; two digests can be compared when the guest is paused.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { MemoryDigest } from '../shared/memory/memory-digest.ts'

/** About two milliseconds. */
const SLICE_WORDS = 1 << 20

export class MemoryDigests {
  readonly #pages: () => Uint8Array
  #running: Promise<string> | undefined
  #next: Promise<string> | undefined

  constructor(pages: () => Uint8Array) {
    this.#pages = pages
  }

  /** Of memory as it is now or later. */
  async ask(): Promise<string> {
    if (this.#running === undefined) return this.#begin()
    this.#next ??= this.#running.then(async () => {
      this.#next = undefined
      return this.#begin()
    })
    return this.#next
  }

  async #begin(): Promise<string> {
    const running = this.#compute()
    this.#running = running
    try {
      return await running
    } finally {
      if (this.#running === running) this.#running = undefined
    }
  }

  async #compute(): Promise<string> {
    const digest = new MemoryDigest(this.#pages())
    while (!digest.step(SLICE_WORDS)) await nextTurn()
    return digest.value
  }
}
