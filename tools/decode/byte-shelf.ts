// Copies of lent bytes, one behind the other, that are all given up together. A buffer for each would be freed only
// when the collector comes by, and a long COLO session has a hundred thousand of them.

const SHELF_BYTES = 64 * 1024

export class ByteShelf {
  #bytes = new Uint8Array(0)
  #used = 0

  /** A copy, good until `clear`. */
  keep(bytes: Uint8Array): Uint8Array {
    const end = this.#used + bytes.length
    if (end > this.#bytes.length) {
      // What lies there already is held by those who look at it.
      this.#bytes = new Uint8Array(Math.max(SHELF_BYTES, 2 * this.#bytes.length, bytes.length))
      this.#used = 0
    }
    const kept = this.#bytes.subarray(this.#used, this.#used + bytes.length)
    kept.set(bytes)
    this.#used += bytes.length
    return kept
  }

  clear(): void {
    this.#used = 0
  }
}
