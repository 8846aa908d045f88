// The first of QEMU's three layers, QEMUFile: a buffered byte channel that knows how numbers lie on the
// wire (all big-endian) and nothing else. Reading is pulled and synchronous: a source gives what it has
// when it is asked, as a file or a pipe can in a command; what a daemon has whole is a source as well.
// Nothing is copied but into the buffer: what `take` returns lies there until the next call.

import { QemuStreamError } from './qemu-stream-error.ts'

/** Where bytes come from. `read` fills some of `into`, and returns how many; 0 at the end. */
export interface ByteSource {
  read(into: Uint8Array): number
}

/** Where bytes go. They are the sink's only during the call. */
export interface ByteSink {
  write(bytes: Uint8Array): void
}

/** Bytes that are there already, as a source. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  let at = 0
  return {
    read(into) {
      const count = Math.min(into.length, bytes.length - at)
      into.set(bytes.subarray(at, at + count))
      at += count
      return count
    },
  }
}

const DEFAULT_BUFFER_BYTES = 1024 * 1024

export class QemuFileReader {
  readonly #source: ByteSource
  #buffer: Uint8Array
  #view: DataView
  /** The next byte to give, and the end of those that are there. */
  #at = 0
  #end = 0
  /** The offset in the stream of the buffer's first byte. */
  #base = 0
  #sourceEnded = false
  /** The section, block or field being read: errors name it. */
  item = 'header'

  /** `offset` is that of the source's first byte, where it is a part of a stream. */
  constructor(source: ByteSource, bufferBytes = DEFAULT_BUFFER_BYTES, offset = 0) {
    this.#source = source
    this.#buffer = new Uint8Array(bufferBytes)
    this.#view = new DataView(this.#buffer.buffer)
    this.#base = offset
  }

  /** Reads bytes where they are; they stay as they are. */
  static over(bytes: Uint8Array, offset = 0): QemuFileReader {
    const reader = new QemuFileReader({ read: () => 0 }, 0, offset)
    reader.#buffer = bytes
    reader.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    reader.#end = bytes.length
    reader.#sourceEnded = true
    return reader
  }

  /** Of the next byte, from the start of the stream. */
  get offset(): number {
    return this.#base + this.#at
  }

  get atEnd(): boolean {
    return !this.has(1)
  }

  /**
   * Whether so many bytes are still to come; they are in the buffer then. It grows with what comes: a length that
   * a stream promises makes no buffer.
   */
  has(count: number): boolean {
    if (this.#end - this.#at >= count) return true
    if (this.#sourceEnded) return false
    if (this.#at + count > this.#buffer.length) this.#moveDown()
    while (this.#end - this.#at < count) {
      if (this.#sourceEnded) return false
      if (this.#end === this.#buffer.length) this.#enlarge()
      const got = this.#source.read(this.#buffer.subarray(this.#end))
      if (got === 0) this.#sourceEnded = true
      this.#end += got
    }
    return true
  }

  /** The byte so far ahead, or -1 behind the end. */
  peek(ahead = 0): number {
    return this.has(ahead + 1) ? (this.#buffer[this.#at + ahead] ?? -1) : -1
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  u16(): number {
    const at = this.#advance(2)
    return this.#view.getUint16(at)
  }

  u32(): number {
    const at = this.#advance(4)
    return this.#view.getUint32(at)
  }

  u64(): bigint {
    const at = this.#advance(8)
    return this.#view.getBigUint64(at)
  }

  /** The next `count` bytes where they lie: good until the next call of any method. */
  take(count: number): Uint8Array {
    const at = this.#advance(count)
    return this.#buffer.subarray(at, at + count)
  }

  /**
   * Like `take` without making an object: where in `buffer` the next `count` bytes begin. For loops that meet
   * millions of pages. Good until the next call of any method.
   */
  place(count: number): number {
    return this.#advance(count)
  }

  /** See `place`. Another one after a call that needed a larger one. */
  get buffer(): Uint8Array {
    return this.#buffer
  }

  /** Where in `buffer` the byte at `offset` lies; what lies there is good as long as what `has` said. */
  placeOf(offset: number): number {
    return offset - this.#base
  }

  /** How many bytes are in the buffer and not yet given: what can be had without asking the source. */
  get buffered(): number {
    return this.#end - this.#at
  }

  /** A string with its length in one byte ahead of it; each byte one character, as they come. */
  str8(): string {
    const bytes = this.take(this.u8())
    let text = ''
    for (const byte of bytes) text += String.fromCharCode(byte)
    return text
  }

  skip(count: number): void {
    let left = count
    while (left > 0) {
      if (!this.has(1)) this.#endsIn(left)
      const step = Math.min(left, this.#end - this.#at)
      this.#at += step
      left -= step
    }
  }

  /** Takes `count` bytes, which must be there, and returns where in the buffer they begin. */
  #advance(count: number): number {
    if (!this.has(count)) this.#endsIn(count)
    const at = this.#at
    this.#at = at + count
    return at
  }

  #endsIn(wanted: number): never {
    const there = this.#end - this.#at
    const rule = `the stream ends here: ${wanted} more bytes were due, ${there} are there`
    throw new QemuStreamError('truncated', this.offset + there, this.item, rule)
  }

  #moveDown(): void {
    this.#buffer.copyWithin(0, this.#at, this.#end)
    this.#base += this.#at
    this.#end -= this.#at
    this.#at = 0
  }

  #enlarge(): void {
    const larger = new Uint8Array(2 * Math.max(this.#buffer.length, 1))
    larger.set(this.#buffer)
    this.#buffer = larger
    this.#view = new DataView(larger.buffer)
  }
}

export class QemuFileWriter {
  readonly #sink: ByteSink
  readonly #buffer: Uint8Array
  readonly #view: DataView
  #at = 0
  #flushed = 0

  constructor(sink: ByteSink, bufferBytes = 64 * 1024) {
    this.#sink = sink
    this.#buffer = new Uint8Array(bufferBytes)
    this.#view = new DataView(this.#buffer.buffer)
  }

  /** Of the next byte, from the start of the stream. */
  get offset(): number {
    return this.#flushed + this.#at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  u64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigUint64(at, value)
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length > this.#buffer.length) {
      this.flush()
      this.#sink.write(bytes)
      this.#flushed += bytes.length
      return
    }
    const at = this.#reserve(bytes.length)
    this.#buffer.set(bytes, at)
  }

  /** Each character one byte, after their count in one. */
  str8(text: string): void {
    if (text.length > 255) {
      const rule = `a string of ${text.length} bytes: its length must fit one byte`
      throw new QemuStreamError('too-long', this.offset, text, rule)
    }
    this.u8(text.length)
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i))
  }

  flush(): void {
    if (this.#at > 0) this.#sink.write(this.#buffer.subarray(0, this.#at))
    this.#flushed += this.#at
    this.#at = 0
  }

  #reserve(count: number): number {
    if (this.#at + count > this.#buffer.length) this.flush()
    const at = this.#at
    this.#at = at + count
    return at
  }
}
