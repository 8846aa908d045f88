// Zstandard (RFC 8878) as it comes in pieces: a sender flushes what it has, so that each piece ends with a block,
// and refers back across pieces. What is given is decoded at once; nothing waits for the end of a frame, which
// may never come. Checksums at the end of frames are stepped over.

import { History } from './history.ts'
import { BLOCK_BYTES_MAX, Literals } from './literals.ts'
import { MARGIN_BYTES, PaddedInput } from './padded-input.ts'
import { Sequences } from './sequences.ts'

/** The largest window that QEMU's levels of zstd, from 0 to 20, ask for. */
export const WINDOW_BYTES_MAX = 32 * 1024 * 1024

const MAGIC = 0xfd2f_b528
const SINGLE_SEGMENT = 0x20
const RESERVED = 0x08
const CHECKSUM = 0x04
const DICTIONARY = 0x03
const CHECKSUM_BYTES = 4
const BLOCK_HEAD_BYTES = 3

const RAW = 0
const REPEATED = 1
const PACKED = 2

export class ZstdStream {
  readonly #input = new PaddedInput()
  readonly #history = new History()
  readonly #literals = new Literals()
  readonly #sequences = new Sequences()
  #isInFrame = false
  #hasChecksum = false
  #blockBytesMax = 0

  /**
   * Decodes whole blocks, which must give `due` bytes. What is returned is good until the next call. Raises
   * ZstdError; what comes behind it cannot be decoded any more.
   */
  decode(packed: Uint8Array, due: number): Uint8Array {
    const input = this.#input
    const history = this.#history
    const end = input.load(packed)
    history.begin(due)
    let at = MARGIN_BYTES
    while (at < end) at = this.#isInFrame ? this.#readBlock(at, end) : this.#readHead(at, end)
    const { length } = history.written
    if (length !== due) input.refuse(end, `it holds ${length} bytes, where ${due} are due`)
    return history.written
  }

  #readHead(at: number, end: number): number {
    const input = this.#input
    const { view } = input
    const flags = input.bytes[at + 4]
    if (at + 6 > end || view.getUint32(at, true) !== MAGIC) {
      input.refuse(at, 'no frame of zstd begins here')
    }
    if ((flags & RESERVED) !== 0) input.refuse(at + 4, 'a flag that is reserved')
    if ((flags & DICTIONARY) !== 0) input.refuse(at + 4, 'a dictionary, which is not here')
    const isSingle = (flags & SINGLE_SEGMENT) !== 0
    const sizeCode = flags >> 6
    const sizeBytes = sizeCode > 0 ? 1 << sizeCode : isSingle ? 1 : 0
    const sizeAt = at + (isSingle ? 5 : 6)
    if (sizeAt + sizeBytes > end) input.refuse(at, 'the head of a frame is broken off')
    let windowBytes = 0
    if (isSingle) {
      for (let i = sizeBytes - 1; i >= 0; i--) {
        windowBytes = windowBytes * 256 + input.bytes[sizeAt + i]
      }
      if (sizeBytes === 2) windowBytes += 256
    } else {
      const descriptor = input.bytes[at + 5]
      const base = 2 ** (10 + (descriptor >> 3))
      windowBytes = base + (base / 8) * (descriptor & 7)
    }
    if (windowBytes > WINDOW_BYTES_MAX) {
      input.refuse(at + 5, `a window of ${windowBytes} bytes, where ${WINDOW_BYTES_MAX} are read`)
    }
    this.#history.beginFrame(windowBytes)
    this.#literals.forget()
    this.#sequences.forget()
    this.#isInFrame = true
    this.#hasChecksum = (flags & CHECKSUM) !== 0
    this.#blockBytesMax = Math.min(BLOCK_BYTES_MAX, Math.max(windowBytes, 1))
    return sizeAt + sizeBytes
  }

  #readBlock(at: number, end: number): number {
    const input = this.#input
    const head = input.view.getUint32(at, true) & 0xff_ffff
    const kind = (head >> 1) & 3
    const size = head >> 3
    const from = at + BLOCK_HEAD_BYTES
    const next = from + (kind === REPEATED ? 1 : size)
    if (size > this.#blockBytesMax) {
      input.refuse(at, `a block of ${size} bytes, where ${this.#blockBytesMax} are the most`)
    }
    if (next > end) input.refuse(at, 'a block that is broken off')
    if (kind === PACKED) this.#unpack(from, next)
    else if (kind > PACKED) input.refuse(at, 'a block of a kind that is reserved')
    else {
      const isWritten =
        kind === RAW
          ? this.#history.append(input.bytes, from, next)
          : this.#history.fill(input.bytes[from], size)
      if (!isWritten) input.refuse(at, this.#history.fault)
    }
    if ((head & 1) === 0) return next
    this.#isInFrame = false
    const last = next + (this.#hasChecksum ? CHECKSUM_BYTES : 0)
    if (last > end) input.refuse(next, 'the checksum of a frame is broken off')
    return last
  }

  #unpack(at: number, end: number): void {
    const input = this.#input
    const history = this.#history
    const before = history.at
    if (end - at < 2) input.refuse(at, 'a packed block that is too short')
    const next = this.#literals.read(input, at, end)
    this.#sequences.read(input, [next, end], this.#literals, history)
    if (history.at - before > this.#blockBytesMax) {
      input.refuse(at, `a block that gives more than ${this.#blockBytesMax} bytes`)
    }
  }
}
