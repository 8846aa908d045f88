// BER written value by value, inside the frames that BerFrames opens and closes.

import { BerFrames, HEAD_BYTES_MAX } from './ber-frames.ts'
import {
  BIT_STRING,
  BOOLEAN,
  INTEGER,
  NULL,
  OCTET_STRING,
  UTF8_STRING,
  type Tag,
} from './ber-tag.ts'
import { integerBytes, lengthBytes } from './octet-counts.ts'
import { utf8Of } from './utf8-text.ts'

/** Characters of a QemuString, at most. */
export const NAME_MAX = 255
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

export class BerWriter extends BerFrames {
  readonly #scratch = new DataView(new ArrayBuffer(8))

  /**
   * Begins a string that may be long and comes in chunks: of segments in the indefinite form (X.690 8.7.3), in
   * one piece in the definite one. `close` ends it.
   */
  openString(tag: Tag = OCTET_STRING): void {
    this.openLong(tag, this.isIndefinite)
  }

  /** A part of the string opened last. */
  chunk(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.isIndefinite) this.octets(bytes)
    else this.raw(bytes)
  }

  boolean(value: boolean): void {
    this.reserve(HEAD_BYTES_MAX)
    this.identifier(BOOLEAN, false)
    this.octet(1)
    this.octet(value ? 0xff : 0)
  }

  /** A whole number from -2^63 to 2^63 - 1 in its shortest form; 'bad-value' beyond. */
  integer(value: number | bigint, tag: Tag = INTEGER): void {
    this.reserve(HEAD_BYTES_MAX + 8)
    this.identifier(tag, false)
    const small = Number(value)
    if (Number.isSafeInteger(small)) this.#smallInteger(small)
    else this.#largeInteger(BigInt(value))
  }

  octets(bytes: Uint8Array, tag: Tag = OCTET_STRING): void {
    this.reserve(HEAD_BYTES_MAX)
    this.identifier(tag, false)
    this.length(bytes.length)
    this.raw(bytes)
  }

  /** Whole octets of bits: none of the last octet is unused. */
  bits(bytes: Uint8Array): void {
    this.reserve(HEAD_BYTES_MAX)
    this.identifier(BIT_STRING, false)
    this.length(bytes.length + 1)
    this.octet(0)
    this.raw(bytes)
  }

  text(text: string, tag: Tag = UTF8_STRING): void {
    this.octets(utf8Of(text), tag)
  }

  /** QemuString: 1 to 255 characters. */
  name(text: string): void {
    if (text.length < 1 || text.length > NAME_MAX) {
      throw this.error('bad-value', `a name of ${text.length} characters: from 1 to ${NAME_MAX}`)
    }
    this.text(text)
  }

  /** A SEQUENCE of an address and bytes: a page. Its length is computed, nothing is held. */
  addressed(tag: Tag, address: number, bytes: Uint8Array): void {
    this.reserve(3 * HEAD_BYTES_MAX)
    this.identifier(tag, true)
    const { length } = bytes
    this.length(2 + integerBytes(address) + 1 + lengthBytes(length) + length)
    this.octet(INTEGER)
    this.#smallInteger(address)
    this.octet(OCTET_STRING)
    this.length(length)
    this.raw(bytes)
  }

  null(tag: Tag = NULL): void {
    this.reserve(HEAD_BYTES_MAX)
    this.identifier(tag, false)
    this.octet(0)
  }

  /** Elements that are encoded already, as they are. */
  encoded(bytes: Uint8Array): void {
    this.raw(bytes)
  }

  #smallInteger(value: number): void {
    const count = integerBytes(value)
    this.octet(count)
    this.number(value, count)
  }

  #largeInteger(value: bigint): void {
    if (value < INT64_MIN || value > INT64_MAX) {
      throw this.error('bad-value', `INTEGER ${value} does not fit 64 bits`)
    }
    const scratch = this.#scratch
    scratch.setBigInt64(0, value)
    let skip = 0
    while (skip < 7 && scratch.getInt8(skip) === scratch.getInt8(skip + 1) >> 7) skip++
    this.octet(8 - skip)
    for (let i = skip; i < 8; i++) this.octet(scratch.getUint8(i))
  }
}
