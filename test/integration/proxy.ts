// A TCP proxy on loopback that a test can cut (both ends reset), freeze (bytes stop, connections stay), block in one
// direction, slow down and have change bytes, to make the network between two daemons fail in the ways that networks do.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export type Direction = 'forth' | 'back'

const TICKS_PER_S = 50

export class Proxy {
  /** Sees all that goes back to who dialled, and may change it in place; what it gives `false` for is dropped. */
  onBack: ((bytes: Buffer) => boolean | void) | undefined
  /** Of each direction of each connection; what is read next is held to it. */
  bytesPerS = Number.POSITIVE_INFINITY
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<[Socket, Socket]>()
  readonly #blocked = new Set<Direction>()
  #refusing = false

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Resets every connection; new ones are refused until `mend`. */
  cut(): void {
    this.#refusing = true
    for (const [near, far] of this.#sockets) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  mend(): void {
    this.#refusing = false
    this.#blocked.clear()
    for (const [near, far] of this.#sockets) {
      near.resume()
      far.resume()
    }
  }

  /** Bytes of this direction (forth: from who dialled) stop; the connections stay open. */
  block(direction: Direction): void {
    this.#blocked.add(direction)
    for (const [near, far] of this.#sockets) (direction === 'forth' ? near : far).pause()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #accept(near: Socket): void {
    if (this.#refusing) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const both: [Socket, Socket] = [near, far]
    this.#sockets.add(both)
    const end = () => {
      this.#sockets.delete(both)
      near.destroy()
      far.destroy()
    }
    for (const [from, to] of [both, [far, near]] as const) {
      const resume = () => {
        if (!this.#blocked.has(from === near ? 'forth' : 'back')) from.resume()
      }
      from.on('data', (bytes) => {
        if (from === far && this.onBack?.(bytes) === false) return
        if (this.bytesPerS < Number.POSITIVE_INFINITY) {
          from.pause()
          this.#trickle(bytes, to, resume)
        } else if (!to.write(bytes)) {
          from.pause()
          to.once('drain', resume)
        }
      })
      from.on('error', end)
      from.on('close', end)
    }
    if (this.#blocked.has('forth')) near.pause()
    if (this.#blocked.has('back')) far.pause()
  }

  #trickle(bytes: Buffer, to: Socket, done: () => void): void {
    const piece = Math.min(bytes.length, Math.ceil(this.bytesPerS / TICKS_PER_S))
    to.write(bytes.subarray(0, piece))
    const rest = bytes.subarray(piece)
    setTimeout(
      () => (rest.length > 0 ? this.#trickle(rest, to, done) : done()),
      (1000 * piece) / this.bytesPerS,
    )
  }
}
