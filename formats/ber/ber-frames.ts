// BER written online, in either form of length. An element that may be long is opened and closed: in the
// indefinite form that costs four octets and nothing is held back; in the definite form its length stands before
// its contents, so the same calls are made twice: a first pass, whose output is only counted, notes each length
// in the order of opening, and the second has them. No page is ever held or moved for the sake of a length.
// What is small (the state of a device) is a held element: it has a definite length in both forms, and waits in
// the buffer until it is closed. What is written in the definite form is DER.

import type { ByteSink } from '../qemu/file/qemu-file.ts'
import { BerError } from './ber-error.ts'
import { classOf, numberOf, SEQUENCE, tagName, type Tag } from './ber-tag.ts'
import { lengthBytes } from './octet-counts.ts'

/** How the lengths of long elements are written. `lengths` is filled by measuring, and used up by `definite`. */
export type LengthForm =
  | { readonly form: 'indefinite' }
  | { readonly form: 'measure'; readonly lengths: number[] }
  | { readonly form: 'definite'; readonly lengths: readonly number[] }

const BUFFER_BYTES = 64 * 1024
/** Strings from this size on go to the sink from where they lie: pages are not copied here. */
const STRAIGHT_BYTES = 1024
/** Most bytes of elements that are held until they are closed. */
const HELD_BYTES_MAX = 256 * 1024 * 1024
/** Most lengths that are kept from one pass to the next. */
const MEASURED_MAX = 2 ** 24
/** Identifier and length octets, at most: tags of 28 bits, lengths of 6 octets. */
export const HEAD_BYTES_MAX = 16

export class BerFrames {
  readonly #sink: ByteSink
  readonly #lengths: LengthForm
  #buffer: Uint8Array
  #at = 0
  #flushed = 0
  /** The index of the next long element, in the order of opening. */
  #nextLong = 0
  /** Of each open element: a long one's index or -1 - the place of a held one's length octet. */
  readonly #open: number[] = []
  /** Of each open long element, where its contents begin: to measure it, or to check what was promised. */
  readonly #starts: number[] = []
  #held = 0
  /** The section or field being written: errors name it. */
  item = 'file'

  /** `bufferBytes`: few for what is small, of which there may be many. */
  constructor(
    sink: ByteSink,
    lengths: LengthForm = { form: 'indefinite' },
    bufferBytes = BUFFER_BYTES,
  ) {
    this.#sink = sink
    this.#buffer = new Uint8Array(bufferBytes)
    this.#lengths = lengths
  }

  /** Of the next octet, from the start. While measuring, without the length octets of what is still open. */
  get offset(): number {
    return this.#flushed + this.#at
  }

  /** Begins a constructed element that may be long: of indefinite length, or of one known beforehand. */
  open(tag: Tag = SEQUENCE): void {
    this.openLong(tag, true)
  }

  /** Begins a constructed element of definite length that is held in memory until it is closed. */
  hold(tag: Tag = SEQUENCE): void {
    this.reserve(HEAD_BYTES_MAX)
    this.identifier(tag, true)
    this.#held++
    this.#open.push(-1 - this.#at++)
  }

  /** Ends the element opened last. */
  close(): void {
    const opened = this.#open.pop()
    if (opened === undefined) throw this.error('unexpected', 'nothing is open that could be closed')
    if (opened < 0) this.#closeHeld(-1 - opened)
    else this.#closeLong(opened)
  }

  /** Gives the sink what is in the buffer. Everything must be closed at the end: 'unexpected' otherwise. */
  finish(): void {
    if (this.#open.length > 0)
      throw this.error('unexpected', `${this.#open.length} elements are open`)
    this.#flush()
  }

  error(code: 'unexpected' | 'bad-value' | 'too-long', rule: string): BerError {
    return new BerError(code, this.offset, this.item, rule)
  }

  protected get isIndefinite(): boolean {
    return this.#lengths.form === 'indefinite'
  }

  protected openLong(tag: Tag, isConstructed: boolean): void {
    this.reserve(HEAD_BYTES_MAX)
    this.identifier(tag, isConstructed)
    const index = this.#nextLong++
    if (this.#lengths.form === 'measure' && index >= MEASURED_MAX) {
      const rule = `more than ${MEASURED_MAX} lengths to be known beforehand: take the indefinite form`
      throw this.error('too-long', rule)
    }
    if (this.#held > 0)
      throw this.error('unexpected', `${tagName(tag)} is long, and inside a held element`)
    if (this.#lengths.form === 'indefinite') this.#buffer[this.#at++] = 0x80
    else if (this.#lengths.form === 'definite') this.length(this.#promised(index))
    this.#open.push(index)
    this.#starts.push(this.offset)
  }

  #closeLong(index: number): void {
    const length = this.offset - (this.#starts.pop() ?? 0)
    if (this.#lengths.form === 'indefinite') {
      this.reserve(2)
      this.#buffer[this.#at++] = 0
      this.#buffer[this.#at++] = 0
    } else if (this.#lengths.form === 'measure') {
      this.#lengths.lengths[index] = length
      this.#flushed += lengthBytes(length)
    } else if (length !== this.#promised(index)) {
      const rule = `${length} bytes were written where ${this.#promised(index)} had been measured`
      throw this.error('unexpected', `${rule}: the input changed between its two readings`)
    }
  }

  /** The contents lie behind the one octet that was left free; a longer length moves them up. */
  #closeHeld(place: number): void {
    const start = place + 1
    const end = this.#at
    const more = lengthBytes(end - start) - 1
    if (more > 0) {
      this.reserve(more)
      this.#buffer.copyWithin(start + more, start, end)
    }
    this.#at = place
    this.length(end - start)
    this.#at = end + more
    this.#held--
  }

  #promised(index: number): number {
    if (this.#lengths.form !== 'definite') return 0
    return this.#lengths.lengths[index] ?? 0
  }

  protected identifier(tag: Tag, isConstructed: boolean): void {
    const buffer = this.#buffer
    const lead = (classOf(tag) << 6) | (isConstructed ? 0x20 : 0)
    const number = numberOf(tag)
    if (number < 31) {
      buffer[this.#at++] = lead | number
      return
    }
    buffer[this.#at++] = lead | 31
    for (let shift = 21; shift > 0; shift -= 7) {
      if (number >>> shift > 0) buffer[this.#at++] = 0x80 | ((number >>> shift) & 0x7f)
    }
    buffer[this.#at++] = number & 0x7f
  }

  protected length(length: number): void {
    const count = lengthBytes(length) - 1
    if (count > 0) this.#buffer[this.#at++] = 0x80 | count
    this.number(length, Math.max(count, 1))
  }

  protected octet(octet: number): void {
    this.#buffer[this.#at++] = octet
  }

  /** The low `count` octets of a whole number, the highest first. */
  protected number(value: number, count: number): void {
    if (value === (value | 0)) {
      let word = value
      for (let place = this.#at + count - 1; place >= this.#at; place--) {
        this.#buffer[place] = word
        word >>= 8
      }
      this.#at += count
      return
    }
    let left = value
    for (let place = this.#at + count - 1; place >= this.#at; place--) {
      const rest = Math.floor(left / 256)
      this.#buffer[place] = left - rest * 256
      left = rest
    }
    this.#at += count
  }

  /** Bytes as they are: copied into the buffer if they are few, else given to the sink, which may gather them. */
  protected raw(bytes: Uint8Array): void {
    if (this.#lengths.form === 'measure' && this.#held === 0) {
      this.#flushed += bytes.length
      return
    }
    if (this.#held === 0 && bytes.length >= STRAIGHT_BYTES) {
      this.#flush()
      this.#sink.write(bytes)
      this.#flushed += bytes.length
      return
    }
    this.reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #flush(): void {
    if (this.#at > 0 && this.#lengths.form !== 'measure') {
      this.#sink.write(this.#buffer.subarray(0, this.#at))
    }
    this.#flushed += this.#at
    this.#at = 0
  }

  /** Makes room for so many octets behind each other. */
  protected reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return
    if (this.#held === 0) {
      this.#flush()
      if (count <= this.#buffer.length) return
    }
    if (this.#at + count > HELD_BYTES_MAX) {
      throw this.error('too-long', `an element of more than ${HELD_BYTES_MAX} bytes cannot be held`)
    }
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#at + count))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
  }
}
