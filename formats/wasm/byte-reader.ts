// Reads a WebAssembly binary without trusting it: a number that is too long, a name that is no UTF-8 and an end
// that comes too early are refusals that say where. A refusal is thrown here and caught in one place, so that
// the code that walks a module reads like the specification and has no error path at every byte.

/** Why a module can't be rewritten, and the byte of the module at which that was seen. */
export class Refusal extends Error {
  readonly offset: number | undefined

  constructor(message: string, offset?: number) {
    super(message)
    this.offset = offset
  }
}

const percentOf = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`

const LEB_BYTES_32 = 5
const LEB_BYTES_64 = 10

export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  malformed(what: string, offset = this.at): Refusal {
    return new Refusal(`malformed module: ${what}`, offset)
  }

  byte(): number {
    if (this.at >= this.end) throw this.malformed('it ends in the middle of something')
    return this.bytes[this.at++]
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw this.malformed('it ends in the middle of something')
    this.at += count
  }

  /** An unsigned 32-bit LEB128 (core specification, 5.2.2). */
  u32(): number {
    const start = this.at
    let value = 0
    for (let i = 0; i < LEB_BYTES_32; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw this.malformed('a number of more than 32 bits', start)
  }

  /** A signed 32-bit LEB128. */
  i32(): number {
    const start = this.at
    let value = 0
    for (let shift = 0; shift < 7 * LEB_BYTES_32; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return shift < 28 && byte & 0x40 ? value | (-1 << (shift + 7)) : value
    }
    throw this.malformed('a number of more than 32 bits', start)
  }

  /** Steps over a LEB128 of up to 64 bits. */
  skipLeb(): void {
    const start = this.at
    for (let i = 0; i < LEB_BYTES_64; i++) if (this.byte() < 0x80) return
    throw this.malformed('a number of more than 64 bits', start)
  }

  name(): string {
    const length = this.u32()
    const start = this.at
    this.skip(length)
    let text = ''
    let isAscii = true
    for (let at = start; at < this.at; at++) {
      const byte = this.bytes[at]
      text += String.fromCharCode(byte)
      isAscii &&= byte < 0x80
    }
    if (isAscii) return text
    try {
      return decodeURIComponent(text.replace(/[^]/g, percentOf))
    } catch {
      throw this.malformed('a name that is no UTF-8', start)
    }
  }
}
