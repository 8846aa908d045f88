// Collects the bytes of a module. One buffer that grows by doubling: a module of megabytes is written in
// pieces of a few bytes, and an array of numbers would cost ten times as much.

export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** What was written; a view, good until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  put(...bytes: readonly number[]): void {
    this.#reserve(bytes.length)
    for (const byte of bytes) this.#bytes[this.#length++] = byte
  }

  /** An unsigned LEB128 in as few bytes as it takes. */
  u32(value: number): void {
    this.#reserve(5)
    let rest = value >>> 0
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#length++] = rest
  }

  /** A signed LEB128 in as few bytes as it takes. A number above 2^31-1 means its 32 bits. */
  i32(value: number): void {
    this.#reserve(5)
    let rest = value | 0
    for (; rest > 63 || rest < -64; rest >>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#length++] = rest & 0x7f
  }

  copy(source: Uint8Array, from = 0, to = source.length): void {
    this.#reserve(to - from)
    this.#bytes.set(source.subarray(from, to), this.#length)
    this.#length += to - from
  }

  /** A name of ASCII characters. */
  name(text: string): void {
    this.u32(text.length)
    for (let i = 0; i < text.length; i++) this.put(text.charCodeAt(i))
  }

  /** Bytes with their length ahead of them: a section's content, a function's body. */
  sized(bytes: Uint8Array): void {
    this.u32(bytes.length)
    this.copy(bytes)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.written)
    this.#bytes = larger
  }
}
