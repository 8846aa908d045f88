// The socket of a control connection, with what comes rationed until the token is shown. A frame of WebSocket may
// be six bytes long, so that the few bytes that one read gives cost milliseconds: they are given on in small
// slices, other events get their turn between two, and only so many in a second.

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

const SLICE_BYTES = 512
const SECOND_MS = 1000

interface Ration {
  readonly bytesPerSecond: number
  /** What may come now. */
  left: number
  at: number
}

export class RationedStream extends Duplex {
  readonly #socket: Socket
  #ration: Ration | undefined
  #pending: Uint8Array | undefined
  #wanted = false
  #waits = false

  /** `head` came before. At first no more than `bytesMax` may come. */
  constructor(socket: Socket, head: Uint8Array, bytesMax: number) {
    super({ readableHighWaterMark: SLICE_BYTES })
    this.#socket = socket
    this.#ration = { bytesPerSecond: 0, left: bytesMax, at: performance.now() }
    if (head.length > 0) this.#received(head)
    socket.on('data', (bytes) => this.#received(bytes))
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
    if (head.length === 0) socket.resume()
  }

  /** From here on so many bytes a second, and as many at once. */
  ration(bytesPerSecond: number): void {
    this.#ration = { bytesPerSecond, left: bytesPerSecond, at: performance.now() }
    this.#deliver()
  }

  /** From here on as it comes. */
  lift(): void {
    this.#ration = undefined
    this.#deliver()
  }

  override _read(): void {
    this.#wanted = true
    this.#deliver()
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _writev(
    chunks: readonly { readonly chunk: Uint8Array }[],
    done: (error?: Error | null) => void,
  ): void {
    const last = chunks.length - 1
    this.#socket.cork()
    chunks.forEach(({ chunk }, i) => {
      if (i < last) this.#socket.write(chunk)
      else this.#socket.write(chunk, done)
    })
    this.#socket.uncork()
  }

  override _final(done: () => void): void {
    if (this.#socket.destroyed) done()
    else this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#pending = undefined
    this.#socket.destroy()
    done(error)
  }

  #received(bytes: Uint8Array): void {
    this.#pending = bytes
    this.#socket.pause()
    this.#deliver()
  }

  #deliver(): void {
    if (!this.#wanted || this.#waits || this.#pending === undefined) return
    const room = this.#room()
    if (room <= 0) return
    const slice = this.#pending.subarray(0, room)
    const rest = this.#pending.subarray(slice.length)
    this.#pending = rest.length > 0 ? rest : undefined
    this.#wanted = false
    if (this.#ration !== undefined) this.#ration.left -= slice.length
    if (this.#pending !== undefined) this.#deliverLater(0)
    this.push(slice)
    if (this.#pending === undefined && !this.destroyed) this.#socket.resume()
  }

  /** How many bytes may be given on now. If none, more are given on later, or the connection ends. */
  #room(): number {
    const ration = this.#ration
    if (ration === undefined) return Number.POSITIVE_INFINITY
    const { bytesPerSecond } = ration
    if (bytesPerSecond > 0) {
      const now = performance.now()
      const more = ((now - ration.at) / SECOND_MS) * bytesPerSecond
      ration.left = Math.min(bytesPerSecond, ration.left + more)
      ration.at = now
      if (ration.left < 1) this.#deliverLater((SLICE_BYTES / bytesPerSecond) * SECOND_MS)
    } else if (ration.left < 1) {
      this.destroy()
    }
    return Math.min(SLICE_BYTES, Math.floor(ration.left))
  }

  #deliverLater(ms: number): void {
    this.#waits = true
    const deliver = () => {
      this.#waits = false
      this.#deliver()
    }
    if (ms > 0) setTimeout(deliver, ms).unref()
    else setImmediate(deliver)
  }
}
