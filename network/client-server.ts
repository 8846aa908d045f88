// Where the guest's clients come in: TCP connections end here, what they say goes to the guest, and what the
// guest says comes back only through the output gate. A side that may not serve takes a connection and resets
// it at once: the port is bound from the start, so that a failover can't fail for want of it. A side that
// claims keeps new connections waiting, unread. Only the guest closes a connection in an orderly way: every
// other end is a reset, because half an answer before an orderly end would look whole.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { joinAddress, splitAddress } from './address.ts'
import type { OutputPort, ServeMode } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
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

export interface ClientServerOptions {
  readonly address: string
  /** Connections at one time, whatever their state. */
  readonly connectionsMax: number
  readonly delays: Pick<Delays, 'drainTimeoutMs' | 'claimingClientsMs' | 'clientKeepAliveMs'>
  readonly handlers: ClientHandlers
  /** A client that this side served was reset. */
  reset(why: string, from: string): void
  /** All places are taken: what an operator should know; undefined once there was room for a while. */
  full(what: string | undefined): void
}

/** What an unread answer costs beside its bytes: many small ones weigh as much as a few large ones. */
const WRITE_WEIGHT = 256
/** How long nobody was refused before a full table is over. */
const ROOM_MS = 2000

class Client {
  readonly socket: Socket
  readonly connection: number
  /** What it has not read, as the total counts it. */
  counted = 0
  /** Set once the guest has closed it: the rest is read within a deadline. */
  drain: NodeJS.Timeout | undefined
  #writes = 0

  constructor(socket: Socket, connection: number) {
    this.socket = socket
    this.connection = connection
  }

  get unread(): number {
    const { writableLength } = this.socket
    return writableLength === 0 ? 0 : writableLength + this.#writes * WRITE_WEIGHT
  }

  write(bytes: Uint8Array): void {
    this.#writes++
    this.socket.write(bytes, this.#written)
  }

  readonly #written = (): void => {
    this.#writes--
  }
}

export class ClientServer implements OutputPort {
  readonly #options: ClientServerOptions
  readonly #server: Server
  readonly #clients = new Map<number, Client>()
  /** Those that have not read everything. */
  readonly #behind = new Set<Client>()
  readonly #waiting = new Set<Socket>()
  #unread = 0
  #open = 0
  #mode: ServeMode = 'no'
  #claim: NodeJS.Timeout | undefined
  #paused = false
  #isFull = false
  #room: NodeJS.Timeout | undefined

  private constructor(options: ClientServerOptions) {
    this.#options = options
    const keepAliveInitialDelay = options.delays.clientKeepAliveMs
    const sockets = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay }
    this.#server = createServer({ ...sockets, pauseOnConnect: true }, (socket) => {
      this.#accept(socket)
    })
  }

  /** Rejects with the error of listening. */
  static async listen(options: ClientServerOptions): Promise<ClientServer> {
    const server = new ClientServer(options)
    const { host, port } = splitAddress(options.address)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(port, host, resolve)
    })
    server.#server.on('error', (error) => options.handlers.failed(error.message))
    return server
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return joinAddress(address, port)
  }

  write(connection: number, bytes: Uint8Array): void {
    const client = this.#clients.get(connection)
    if (client === undefined) return
    client.write(bytes)
    this.#count(client)
    const { clientOutputBytesMax, outputBytesMax } = LIMITS
    if (client.counted > clientOutputBytesMax) {
      this.#reset(client, `it has not read more than ${clientOutputBytesMax} bytes`)
    }
    if (this.#unread > outputBytesMax) this.#resetSlowest()
  }

  close(connection: number): void {
    const client = this.#clients.get(connection)
    if (client === undefined || client.drain !== undefined) return
    const { socket } = client
    const { drainTimeoutMs } = this.#options.delays
    client.drain = setTimeout(() => {
      this.#reset(client, `the guest closed it, and the rest was not read in ${drainTimeoutMs} ms`)
    }, drainTimeoutMs)
    // What it still says is of no use, and must be read: else its end is a reset.
    socket.resume()
    socket.end(() => socket.destroySoon())
  }

  reset(connection: number): void {
    const client = this.#clients.get(connection)
    if (client !== undefined) this.#reset(client)
  }

  serve(mode: ServeMode): void {
    const before = this.#mode
    this.#mode = mode
    if (mode === 'claiming') {
      if (before === 'claiming') return
      const { claimingClientsMs } = this.#options.delays
      this.#claim = setTimeout(() => this.#refuseWaiting(), claimingClientsMs)
      return
    }
    clearTimeout(this.#claim)
    this.#claim = undefined
    if (mode === 'no') return this.#refuseWaiting()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const socket of waiting) this.#admit(socket)
  }

  closeAll(): void {
    this.#refuseWaiting()
    for (const client of this.#clients.values()) this.#reset(client)
  }

  pauseInput(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    for (const { socket, drain } of this.#clients.values()) {
      if (paused && drain === undefined) socket.pause()
      else socket.resume()
    }
  }

  /** No more connections; those that are open are closed. */
  dispose(): void {
    this.#server.close()
    clearTimeout(this.#claim)
    clearTimeout(this.#room)
    this.closeAll()
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    this.#open++
    socket.once('close', () => {
      this.#open--
      this.#waiting.delete(socket)
    })
    const { connectionsMax } = this.#options
    const waits = this.#mode === 'claiming' && this.#claim !== undefined
    if (this.#mode !== 'yes' && !waits) return resetSocket(socket)
    if (this.#open > connectionsMax) {
      this.#tellFull()
      return resetSocket(socket)
    }
    if (!waits) return this.#admit(socket)
    if (this.#waiting.size < LIMITS.claimingClientsMax) this.#waiting.add(socket)
    else resetSocket(socket)
    return undefined
  }

  #admit(socket: Socket): void {
    if (socket.destroyed) return undefined
    const { remoteAddress = 'unknown', remotePort = 0 } = socket
    const address = joinAddress(remoteAddress, remotePort)
    const connection = this.#options.handlers.opened(address)
    if (connection === undefined) return resetSocket(socket)
    const client = new Client(socket, connection)
    const { handlers } = this.#options
    this.#clients.set(connection, client)
    // The bytes are handed over to the guest's thread, so they must be nobody else's.
    socket.on('data', (bytes) => handlers.said(connection, new Uint8Array(bytes)))
    socket.on('end', () => handlers.ended(connection))
    socket.on('drain', () => this.#count(client))
    socket.on('close', () => {
      clearTimeout(client.drain)
      this.#forget(client)
      handlers.closed(connection)
    })
    if (!this.#paused) socket.resume()
    return undefined
  }

  #refuseWaiting(): void {
    clearTimeout(this.#claim)
    this.#claim = undefined
    for (const socket of this.#waiting) resetSocket(socket)
    this.#waiting.clear()
  }

  /** Without `why` it is part of something that was told already. */
  #reset(client: Client, why?: string): void {
    const { socket } = client
    if (why !== undefined) {
      this.#options.reset(why, joinAddress(socket.remoteAddress ?? '?', socket.remotePort ?? 0))
    }
    this.#forget(client)
    resetSocket(socket)
  }

  #forget(client: Client): void {
    this.#unread -= client.counted
    client.counted = 0
    this.#behind.delete(client)
    this.#clients.delete(client.connection)
  }

  #count(client: Client): void {
    if (this.#clients.get(client.connection) !== client) return
    const { unread } = client
    this.#unread += unread - client.counted
    client.counted = unread
    if (unread > 0) this.#behind.add(client)
    else this.#behind.delete(client)
  }

  #resetSlowest(): void {
    const { outputBytesMax } = LIMITS
    for (const client of this.#behind) this.#count(client)
    while (this.#unread > outputBytesMax) {
      let slowest: Client | undefined
      for (const client of this.#behind) {
        if (slowest === undefined || client.counted > slowest.counted) slowest = client
      }
      if (slowest === undefined) return
      const bytes = slowest.counted
      this.#reset(
        slowest,
        `all clients together have not read ${outputBytesMax} bytes, and it the most: ${bytes}`,
      )
    }
  }

  /** Told when it becomes full, and once there has been room for a while. */
  #tellFull(): void {
    const { connectionsMax } = this.#options
    if (this.#open <= connectionsMax) return
    if (!this.#isFull) {
      this.#isFull = true
      const way = 'close some, or raise the limit of open files (ulimit -n)'
      this.#options.full(
        `all ${connectionsMax} places of clients are taken, new ones are reset: ${way}`,
      )
    }
    clearTimeout(this.#room)
    this.#room = setTimeout(() => {
      this.#isFull = false
      this.#options.full(undefined)
    }, ROOM_MS)
    this.#room.unref()
  }
}

/** Without a word more. A socket whose orderly end is on its way at this moment can only be closed. */
function resetSocket(socket: Socket): void {
  const ending = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (ending) socket.destroy()
  else socket.resetAndDestroy()
}
