// The chunks of a large file that two threads fill in turn and one takes in order. Copying a gigabyte
// out of the page cache is nearly all that verifying it costs, and a second core copies as well as
// the first. Whoever is free claims the next chunk; nobody waits for a thread that has not begun.

import { readSync } from 'node:fs'

/** What both threads are given. */
export interface RingPlan {
  readonly file: number
  /** Where chunk 0 begins in the file. */
  readonly start: number
  /** Whole chunks only. */
  readonly chunks: number
  readonly chunkBytes: number
  readonly slots: number
  readonly bytes: SharedArrayBuffer
  readonly state: SharedArrayBuffer
}

/** Of the state's words: the next chunk to claim, the chunks taken, then one word a slot. */
const CLAIMED = 0
const TAKEN = 1
const SLOTS = 2
/** A slot's word is the number of the chunk in it plus 1, or this when it could not be filled: nobody may wait for it. */
const FAILED = -1
/** A thread that was to wake us may have ended. */
const WAIT_MS = 5

export function planRing(
  file: number,
  start: number,
  chunks: number,
  { chunkBytes, slots }: Pick<RingPlan, 'chunkBytes' | 'slots'>,
): RingPlan {
  const bytes = new SharedArrayBuffer(chunkBytes * slots)
  const state = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (SLOTS + slots))
  return { file, start, chunks, chunkBytes, slots, bytes, state }
}

export class ChunkRing {
  readonly #plan: RingPlan
  readonly #state: Int32Array
  readonly #buffers: readonly Uint8Array[]

  constructor(plan: RingPlan) {
    this.#plan = plan
    this.#state = new Int32Array(plan.state)
    this.#buffers = Array.from({ length: plan.slots }, (_, slot) => {
      return new Uint8Array(plan.bytes, slot * plan.chunkBytes, plan.chunkBytes)
    })
  }

  /** Claims and fills the next chunk. False when there is none, or no slot for it. */
  fillNext(): boolean {
    const { chunks, slots } = this.#plan
    const next = Atomics.load(this.#state, CLAIMED)
    if (next >= chunks || next >= Atomics.load(this.#state, TAKEN) + slots) return false
    if (Atomics.compareExchange(this.#state, CLAIMED, next, next + 1) !== next) return true
    const slot = next % slots
    let isFilled = false
    try {
      isFilled = this.#fill(next, this.#buffers[slot])
    } catch {
      // Whoever takes the chunk reads it once more, and is told why it cannot.
    }
    Atomics.store(this.#state, SLOTS + slot, isFilled ? next + 1 : FAILED)
    Atomics.notify(this.#state, SLOTS + slot)
    return true
  }

  /** False when the file has become shorter. */
  #fill(chunk: number, buffer: Uint8Array): boolean {
    const { file, start, chunkBytes } = this.#plan
    const position = start + chunk * chunkBytes
    let filled = 0
    while (filled < chunkBytes) {
      const left = chunkBytes - filled
      const bytes = readSync(file, buffer, filled, left, position + filled)
      if (bytes === 0) return false
      filled += bytes
    }
    return true
  }

  /** The bytes of a chunk, filled by whoever was free; undefined when it cannot be filled. */
  take(chunk: number): Uint8Array | undefined {
    const slot = chunk % this.#plan.slots
    for (;;) {
      const word = Atomics.load(this.#state, SLOTS + slot)
      if (word === FAILED) return undefined
      if (word === chunk + 1) return this.#buffers[slot]
      if (!this.fillNext()) Atomics.wait(this.#state, SLOTS + slot, word, WAIT_MS)
    }
  }

  /** The bytes of a chunk are not needed any more. */
  release(chunk: number): void {
    Atomics.store(this.#state, TAKEN, chunk + 1)
    Atomics.notify(this.#state, TAKEN)
  }

  /** Nothing more is to be filled. */
  close(): void {
    Atomics.store(this.#state, CLAIMED, this.#plan.chunks)
    Atomics.notify(this.#state, TAKEN)
  }

  /** Fills chunks until none is left: what the second thread does. */
  fillAll(): void {
    while (Atomics.load(this.#state, CLAIMED) < this.#plan.chunks) {
      const taken = Atomics.load(this.#state, TAKEN)
      if (!this.fillNext()) Atomics.wait(this.#state, TAKEN, taken, WAIT_MS)
    }
  }
}
