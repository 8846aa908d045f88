// What was decoded, as far back as the window reaches, with what is being decoded behind it in one piece. It grows
// with what there is, not with the window that a frame announces, and moves down when a window has passed.

const ROOM_BYTES_MIN = 256 * 1024
/** Longer pieces are copied by the engine, shorter ones here: calling it costs as much as so many bytes. */
const SHORT_BYTES = 32

export class History {
  #bytes = new Uint8Array(0)
  #at = 0
  #limit = 0
  #start = 0
  /** Of the frame under way; no offset reaches behind it. */
  #frameStart = 0
  windowBytes = 0
  /** Why `append` or `repeat` did not. */
  fault = ''

  /** Makes room for `due` bytes more, which is the most that can be written now. */
  begin(due: number): void {
    const keep = Math.min(this.#at, this.windowBytes)
    const from = this.#at - keep
    if (this.#at + due > this.#bytes.length) {
      const wanted = Math.min(2 * this.windowBytes, 2 * this.#bytes.length)
      const length = Math.max(keep + due, wanted, ROOM_BYTES_MIN)
      if (length > this.#bytes.length) {
        const larger = new Uint8Array(length)
        larger.set(this.#bytes.subarray(from, this.#at))
        this.#bytes = larger
      } else this.#bytes.copyWithin(0, from, this.#at)
      this.#at = keep
      this.#frameStart = Math.max(0, this.#frameStart - from)
    }
    this.#start = this.#at
    this.#limit = this.#at + due
  }

  beginFrame(windowBytes: number): void {
    this.windowBytes = windowBytes
    this.#frameStart = this.#at
  }

  /** What was written since `begin`; good until the next one. */
  get written(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#at)
  }

  /** Of all that was ever written, as a place to measure from. */
  get at(): number {
    return this.#at
  }

  /** Writes `from[start]` up to `from[end]`; false if that is more than is due. */
  append(from: Uint8Array, start: number, end: number): boolean {
    const bytes = this.#bytes
    const next = this.#at + end - start
    if (next > this.#limit) return this.#refuse('it holds more than is due')
    if (end - start > SHORT_BYTES) bytes.set(from.subarray(start, end), this.#at)
    else for (let i = start, to = this.#at; i < end;) bytes[to++] = from[i++]
    this.#at = next
    return true
  }

  /** Writes one byte `count` times. */
  fill(value: number, count: number): boolean {
    const next = this.#at + count
    if (next > this.#limit) return this.#refuse('it holds more than is due')
    this.#bytes.fill(value, this.#at, next)
    this.#at = next
    return true
  }

  /** Writes `count` bytes again from `back` before; they may come to be while they are written. */
  repeat(back: number, count: number): boolean {
    const bytes = this.#bytes
    const at = this.#at
    const next = at + count
    if (next > this.#limit) return this.#refuse('it holds more than is due')
    if (back < 1 || back > this.windowBytes || at - back < this.#frameStart) {
      return this.#refuse(`it refers ${back} bytes back, where there are none`)
    }
    if (count > SHORT_BYTES && back >= count) bytes.copyWithin(at, at - back, next - back)
    else for (let to = at, from = at - back; to < next;) bytes[to++] = bytes[from++]
    this.#at = next
    return true
  }

  #refuse(fault: string): false {
    this.fault = fault
    return false
  }
}
