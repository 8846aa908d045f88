// What a BerWriter says in small pieces (heads of a few octets, a page, heads again), made into few large ones:
// each costs a system call further on.

import type { ByteSink } from '../qemu/file/qemu-file.ts'

const BUFFER_BYTES = 1024 * 1024

export class GatheringSink implements ByteSink {
  readonly #to: ByteSink
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  #at = 0

  constructor(to: ByteSink) {
    this.#to = to
  }

  write(bytes: Uint8Array): void {
    const { length } = bytes
    if (this.#at + length > BUFFER_BYTES) {
      this.flush()
      if (length >= BUFFER_BYTES) {
        this.#to.write(bytes)
        return
      }
    }
    this.#buffer.set(bytes, this.#at)
    this.#at += length
  }

  /** Hands on what was gathered. To be called at the end. */
  flush(): void {
    if (this.#at > 0) this.#to.write(this.#buffer.subarray(0, this.#at))
    this.#at = 0
  }
}
