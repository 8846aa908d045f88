// BER read by pulling: the caller says which element it expects, as the module has it, and gets its value; what
// is constructed is entered and left. Strings that came in segments are put together again.

import { BerElements } from './ber-elements.ts'
import {
  BIT_STRING,
  BOOLEAN,
  INTEGER,
  NULL,
  OCTET_STRING,
  UTF8_STRING,
  type Tag,
} from './ber-tag.ts'
import { NAME_MAX } from './ber-writer.ts'
import { textOfUtf8 } from './utf8-text.ts'

const INTEGER_OCTETS_MAX = 8
const NOT_BYTES = /[\u0100-\u{10ffff}]/u

export class BerReader extends BerElements {
  boolean(): boolean {
    if (this.primitive(BOOLEAN) !== 1) throw this.error('bad-length', 'BOOLEAN is one octet long')
    return this.contents()[0] !== 0
  }

  /** A whole number of at most 64 bits with its sign: a bigint where a number would not be exact. */
  integer(tag: Tag = INTEGER): number | bigint {
    const length = this.primitive(tag)
    const { offset } = this
    if (length < 1 || length > INTEGER_OCTETS_MAX) {
      const rule = `INTEGER of ${length} octets: from 1 to ${INTEGER_OCTETS_MAX} are read`
      throw this.error('bad-length', rule)
    }
    const bytes = this.contents()
    const [first = 0, second = 0] = bytes
    if (length > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)) {
      throw this.error('bad-value', 'INTEGER with an octet more than it needs', offset)
    }
    if (length > 6) return wideInteger(bytes)
    let value = first < 0x80 ? first : first - 0x100
    for (let i = 1; i < length; i++) value = value * 256 + (bytes[i] ?? 0)
    return value
  }

  /** A whole number from 0 to `max`, at most 2^53 - 1: 'bad-value' beyond. */
  count(max: number, what: string, tag: Tag = INTEGER): number {
    const { offset } = this
    const value = this.integer(tag)
    if (typeof value === 'number' && value >= 0 && value <= max) return value
    throw this.error('bad-value', `${what} is ${value}: from 0 to ${max} is allowed`, offset)
  }

  /** The contents where they lie: good until the next call of any method. */
  octets(tag: Tag = OCTET_STRING): Uint8Array {
    this.expect(tag)
    return this.isConstructed ? this.#segments(tag) : this.contents()
  }

  /** The contents of a string of any length, piece by piece. Returns how many bytes there were. */
  copy(tag: Tag, take: (bytes: Uint8Array) => void): number {
    this.expect(tag)
    if (!this.isConstructed) return this.contentsInSteps(take)
    let total = 0
    this.enter(tag)
    while (this.more) {
      this.#segment(tag)
      total += this.contentsInSteps(take)
    }
    this.leave()
    return total
  }

  /** The octets of a BIT STRING, of whose last octet no bit may be unused. */
  bits(): Uint8Array {
    this.primitive(BIT_STRING)
    const { offset } = this
    const bytes = this.contents()
    if (bytes[0] === 0) return bytes.subarray(1)
    throw this.error('bad-value', 'BIT STRING that does not fill its octets', offset)
  }

  text(tag: Tag = UTF8_STRING): string {
    const { offset } = this
    const text = textOfUtf8(this.octets(tag))
    if (text === undefined) throw this.error('bad-value', 'the text is not UTF-8', offset)
    return text
  }

  /** QemuString: 1 to 255 characters, each of which stands for a byte. */
  name(): string {
    return this.bytesText(1)
  }

  /** Text of `least` to 255 characters, each of which stands for a byte. */
  bytesText(least: number): string {
    const { offset } = this
    const text = this.text()
    if (text.length >= least && text.length <= NAME_MAX && !NOT_BYTES.test(text)) return text
    const rule = `${text.length} characters: from ${least} to ${NAME_MAX}, none above U+00FF`
    throw this.error('bad-value', rule, offset)
  }

  null(tag: Tag = NULL): void {
    if (this.primitive(tag) !== 0) throw this.error('bad-length', 'NULL has no contents')
    this.contents()
  }

  /** Expects a segment (X.690 8.7.3): a primitive OCTET STRING, or one of the string's own type. */
  #segment(tag: Tag): void {
    if (this.tag !== tag) this.expect(OCTET_STRING)
    this.primitive(this.tag)
  }

  /** A string in segments, put together. */
  #segments(tag: Tag): Uint8Array {
    const parts: Uint8Array[] = []
    let total = 0
    this.enter(tag)
    while (this.more) {
      this.#segment(tag)
      const part = this.contents().slice()
      parts.push(part)
      total += part.length
      if (total > this.limits.stringBytesMax) {
        throw this.error('too-long', `a string of more than ${this.limits.stringBytesMax} bytes`)
      }
    }
    this.leave()
    const whole = new Uint8Array(total)
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}

function wideInteger(bytes: Uint8Array): number | bigint {
  let value = BigInt.asIntN(8, BigInt(bytes[0] ?? 0))
  for (const octet of bytes.subarray(1)) value = (value << 8n) | BigInt(octet)
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}
