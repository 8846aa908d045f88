// Looking ahead in a stream, in the reader's own buffer: at bytes and numbers that are not taken yet. All places
// are distances from the reader's next byte.

import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'

/** What may be kept until the ends of sections are known: devices take some MB at most. */
export const LOOK_AHEAD_BYTES_MAX = 128 * 1024 * 1024

export class LookAhead {
  readonly #file: QemuFileReader

  constructor(file: QemuFileReader) {
    this.#file = file
  }

  /** The first such byte from there on, or -1 if there is none to the end. */
  find(byte: number, from: number): number {
    const file = this.#file
    for (let at = from; ;) {
      const there = file.buffered
      if (there > LOOK_AHEAD_BYTES_MAX) {
        const rule = `no end of this section in ${LOOK_AHEAD_BYTES_MAX} bytes, and no more are kept`
        throw new QemuStreamError('too-long', file.offset, file.item, rule)
      }
      const start = file.placeOf(file.offset)
      const found = file.buffer.subarray(start, start + there).indexOf(byte, at)
      if (found >= 0) return found
      at = Math.max(at, there)
      if (!this.has(at + 1)) return -1
    }
  }

  /** Whether so many bytes are to come and can be kept: sizes come from the stream, and may be anything. */
  has(count: number): boolean {
    return count <= LOOK_AHEAD_BYTES_MAX && this.#file.has(count)
  }

  /** -1 behind the end. */
  byte(at: number): number {
    const file = this.#file
    return this.has(at + 1) ? (file.buffer[file.placeOf(file.offset + at)] ?? -1) : -1
  }

  u16(at: number): number {
    return this.byte(at) * 256 + this.byte(at + 1)
  }

  u32(at: number): number {
    return this.u16(at) * 65_536 + this.u16(at + 2)
  }
}
