// Where the guest's clients come in: TCP connections end here, what they say goes to the guest, and what the
// guest says comes back only through the output gate. A side that may not serve takes a connection and resets
// it at once: the port is bound from the start, so that a failover can't fail for want of it.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { joinAddress, splitAddress } from '../shared/channel/address.ts'
import type { OutputPort } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

export interface ClientHandlers {
  /** The number of the connection from `address`, or undefined if it is refused. */
  opened(address: string): number | undefined
  said(connection: number, bytes: Uint8Array): void
  /** The client will say no more, but still listens. */
  ended(connection: number): void
  closed(connection: number): void
  /** The listener had an error; it goes on. */
  failed(why: string): void
}

export class ClientServer implements OutputPort {
  readonly #handlers: ClientHandlers
  readonly #server: Server
  readonly #sockets = new Map<number, Socket>()
  #serving = false
  #paused = false

  private constructor(handlers: ClientHandlers) {
    this.#handlers = handlers
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accept(socket)
    })
  }

  /** Rejects with the error of listening. */
  static async listen(address: string, handlers: ClientHandlers): Promise<ClientServer> {
    const server = new ClientServer(handlers)
    const { host, port } = splitAddress(address)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(port, host, resolve)
    })
    server.#server.on('error', (error) => handlers.failed(error.message))
    return server
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return joinAddress(address, port)
  }

  write(connection: number, bytes: Uint8Array): void {
    const socket = this.#sockets.get(connection)
    if (socket === undefined) return
    socket.write(bytes)
    if (socket.writableLength > LIMITS.clientOutputBytesMax) socket.destroy()
  }

  close(connection: number): void {
    const socket = this.#sockets.get(connection)
    this.#sockets.delete(connection)
    socket?.end(() => socket.destroySoon())
  }

  reset(connection: number): void {
    const socket = this.#sockets.get(connection)
    this.#sockets.delete(connection)
    socket?.resetAndDestroy()
  }

  serve(serving: boolean): void {
    this.#serving = serving
  }

  closeAll(): void {
    const sockets = [...this.#sockets.values()]
    this.#sockets.clear()
    for (const socket of sockets) socket.resetAndDestroy()
  }

  pauseInput(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    for (const socket of this.#sockets.values()) {
      if (paused) socket.pause()
      else socket.resume()
    }
  }

  /** No more connections; those that are open are closed. */
  dispose(): void {
    this.#server.close()
    this.closeAll()
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const { remoteAddress = 'unknown', remotePort = 0 } = socket
    const address = joinAddress(remoteAddress, remotePort)
    const connection = this.#serving ? this.#handlers.opened(address) : undefined
    if (connection === undefined) {
      socket.resetAndDestroy()
      return
    }
    this.#sockets.set(connection, socket)
    if (this.#paused) socket.pause()
    // The bytes are handed over to the guest's thread, so they must be nobody else's.
    socket.on('data', (bytes) => this.#handlers.said(connection, new Uint8Array(bytes)))
    socket.on('end', () => this.#handlers.ended(connection))
    socket.on('close', () => {
      this.#sockets.delete(connection)
      this.#handlers.closed(connection)
    })
  }
}
