// Text on its way to standard output, as bytes from the start: decoding a stream makes a hundred thousand small
// pieces of text, and putting them together as strings takes longer than everything else.

import { plainText } from '../../terminal/plain-text.ts'
import { sayBytes } from '../../terminal/standard-streams.ts'

const FIRST_BYTES = 256 * 1024
const FLUSH_BYTES = 192 * 1024
const OFFSET_DIGITS = 9

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LINE_FEED = 0x0a
const SPACE = 0x20
const DELETE = 0x7f

export class TextOutput {
  readonly #isKept: boolean
  #bytes = new Uint8Array(FIRST_BYTES)
  #at = 0

  /** Kept: for `text`, and not for standard output. */
  constructor(isKept = false) {
    this.#isKept = isKept
  }

  /** What was written and not given away. */
  get text(): string {
    return Buffer.from(this.#bytes.buffer, 0, this.#at).toString()
  }

  /** A place to go back to with `rewind`, until the next `mayFlush`. */
  get mark(): number {
    return this.#at
  }

  rewind(mark: number): void {
    this.#at = mark
  }

  add(text: string): void {
    const { length } = text
    // At most 3 bytes a unit in UTF-8.
    this.#reserve(3 * length)
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= DELETE || (code < SPACE && code !== LINE_FEED)) {
        this.#at = at
        this.#addEncoded(plainText(text.slice(i)))
        return
      }
      bytes[at++] = code
    }
    this.#at = at
  }

  decimal(value: number): void {
    if (value < 0 || value > 9) this.add(String(value))
    else {
      this.#reserve(1)
      this.#bytes[this.#at++] = 0x30 + value
    }
  }

  /** In double quotes, as JSON has it. */
  quoted(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code < SPACE || code >= DELETE || code === QUOTE || code === BACKSLASH) {
        this.add(JSON.stringify(text))
        return
      }
    }
    this.add('"')
    this.add(text)
    this.add('"')
  }

  /** `0x` and two digits for each byte that the number has, up to 4; in two's complement if it is negative. */
  hex(value: number, bytes: number): void {
    this.#reserve(2 + 2 * bytes)
    this.#bytes[this.#at++] = 0x30
    this.#bytes[this.#at++] = 0x78
    this.#digits(value, 2 * bytes)
  }

  hex64(value: bigint): void {
    this.#reserve(18)
    this.#bytes[this.#at++] = 0x30
    this.#bytes[this.#at++] = 0x78
    if (value === 0n) {
      this.#bytes.fill(0x30, this.#at, this.#at + 16)
      this.#at += 16
      return
    }
    this.#digits(Number(BigInt.asUintN(32, value >> 32n)), 8)
    this.#digits(Number(BigInt.asUintN(32, value)), 8)
  }

  /** `0x` and the digits of a number as it lies on the wire, the largest first. */
  hexAt(value: Uint8Array, from: number, bytes: number): void {
    this.#reserve(2 + 2 * bytes)
    const to = this.#bytes
    let at = this.#at
    to[at++] = 0x30
    to[at++] = 0x78
    for (let i = from; i < from + bytes; i++) {
      const byte = value[i]
      to[at++] = DIGITS[byte >>> 4]
      to[at++] = DIGITS[byte & 15]
    }
    this.#at = at
  }

  /** Nine digits: enough for streams of 64 GiB, and more are written where there are more. */
  offset(value: number): void {
    if (value >= 2 ** 32) {
      this.add(value.toString(16).padStart(OFFSET_DIGITS, '0'))
      return
    }
    this.#reserve(OFFSET_DIGITS)
    this.#bytes[this.#at++] = 0x30
    this.#digits(value, OFFSET_DIGITS - 1)
  }

  /** Pairs of digits, with a blank between them if wished. */
  pairs(value: Uint8Array, isSpaced: boolean): void {
    this.#reserve(3 * value.length)
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < value.length; i++) {
      if (isSpaced && i > 0) bytes[at++] = 0x20
      const byte = value[i] ?? 0
      bytes[at++] = DIGITS[byte >>> 4] ?? 0
      bytes[at++] = DIGITS[byte & 15] ?? 0
    }
    this.#at = at
  }

  mayFlush(): void {
    if (this.#at > FLUSH_BYTES) this.flush()
  }

  flush(): void {
    if (this.#isKept) return
    sayBytes(this.#bytes.subarray(0, this.#at))
    this.#at = 0
  }

  #digits(value: number, count: number): void {
    const bytes = this.#bytes
    const at = this.#at
    let rest = value
    for (let i = at + count - 1; i >= at; i--) {
      bytes[i] = DIGITS[rest & 15]
      rest >>>= 4
    }
    this.#at = at + count
  }

  #addEncoded(text: string): void {
    const encoded = Buffer.from(text)
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#at)
    this.#at += encoded.length
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + count))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}
