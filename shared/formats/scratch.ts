// Where a unit that came in pieces is put together.

const FIRST_BYTES = 1024

export class Scratch {
  bytes = new Uint8Array(FIRST_BYTES)
  /** Bytes of the unit that are here. */
  length = 0

  /**
   * Adds `taken` bytes of `chunk` from `at`. Grows by what has come, doubling, and never beyond the
   * `due` bytes of the unit: a length that is a lie costs nothing.
   */
  add(chunk: Uint8Array, at: number, taken: number, due: number): void {
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
