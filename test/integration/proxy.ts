// A TCP proxy on loopback that a test can cut (both ends reset), freeze (bytes stop, connections stay) and block
// in one direction, to make the network between two daemons fail in the ways that networks do.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export type Direction = 'forth' | 'back'

export class Proxy {
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
      from.on('data', (bytes) => {
        if (!to.write(bytes)) {
          from.pause()
          to.once('drain', () => {
            if (!this.#blocked.has(from === near ? 'forth' : 'back')) from.resume()
          })
        }
      })
      from.on('error', end)
      from.on('close', end)
    }
    if (this.#blocked.has('forth')) near.pause()
    if (this.#blocked.has('back')) far.pause()
  }
}
