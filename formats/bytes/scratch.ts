// Where a unit that came in pieces is put together. One that a piece holds whole is left where it lies.

const FIRST_BYTES = 1024

export class Scratch {
  bytes = new Uint8Array(FIRST_BYTES)
  /** Bytes of the unit that are here. */
  length = 0
  /** The unit, once `take` has got the last of it, and where it begins there; undefined before. */
  unit: Uint8Array | undefined
  unitAt = 0

  /** Takes what bytes [at, to) of `chunk` have of a unit of `due` bytes. Returns how many that were. */
  take(chunk: Uint8Array, at: number, to: number, due: number): number {
    const taken = Math.min(to - at, due - this.length)
    if (taken === due) {
      this.unit = chunk
      this.unitAt = at
      return taken
    }
    this.#add(chunk, at, taken, due)
    const isWhole = this.length === due
    this.unit = isWhole ? this.bytes : undefined
    this.unitAt = 0
    if (isWhole) this.length = 0
    return taken
  }

  /**
   * Adds `taken` bytes of `chunk` from `at`. Grows by what has come, doubling, and never beyond the
   * `due` bytes of the unit: a length that is a lie costs nothing.
   */
  #add(chunk: Uint8Array, at: number, taken: number, due: number): void {
    const needed = this.length + taken
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.min(due, Math.max(needed, 2 * this.bytes.length)))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    this.bytes.set(chunk.subarray(at, at + taken), this.length)
    this.length = needed
  }
}
