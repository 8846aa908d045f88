// The data channel: one TCP connection a session, dialled by the secondary, one text line with the session's
// token, then nothing but Xen's bytes. The dialling side receives straight into the buffer that the reader
// offers, which is the fast way in Node and the reason why the secondary is the one that dials; the other
// direction carries a few bytes a checkpoint.

import {
  Socket,
  createServer,
  type AddressInfo,
  type Server,
  type SocketConstructorOpts,
} from 'node:net'
import type { DataChannel, DataChannelHandlers } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import { PROTOCOL_VERSION, tokenLine } from '../shared/protocol/words.ts'
import { joinAddress, splitAddress } from './address.ts'
import { StrangerPlaces } from './stranger-places.ts'

/** The other machine is asked whether it lives after so much silence; the session notices sooner. */
const KEEP_ALIVE_MS = 60_000

/** What a recording of a session sees of it; it must be done with the bytes when the call returns. */
export interface WireTap {
  sent(bytes: Uint8Array): void
  received(bytes: Uint8Array): void
  closed(): void
}

class SocketChannel implements DataChannel {
  readonly #socket: Socket
  readonly #tap: WireTap | undefined
  handlers: DataChannelHandlers | undefined

  constructor(socket: Socket, tap?: WireTap) {
    this.#socket = socket
    this.#tap = tap
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('close', () => {
      tap?.closed()
      this.handlers?.closed()
    })
  }

  write(chunks: readonly Uint8Array[]): void {
    const socket = this.#socket
    if (socket.destroyed) return
    const last = chunks.length - 1
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) this.#write(chunks[i])
    this.#write(chunks[last], this.#taken)
    if (last > 0) socket.uncork()
  }

  /** `count` bytes are at the start of `buffer`. */
  received(buffer: Uint8Array, count: number): void {
    this.#tap?.received(buffer.subarray(0, count))
    this.handlers?.received(count)
  }

  /** Bytes that came elsewhere are put where they belong. */
  deliver(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.handlers && !this.#socket.destroyed;) {
      const buffer = this.handlers.buffer()
      const count = Math.min(buffer.length, bytes.length - at)
      buffer.set(bytes.subarray(at, at + count))
      this.received(buffer, count)
      at += count
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #write(chunk: Uint8Array, taken?: (error?: Error | null) => void): void {
    this.#tap?.sent(chunk)
    this.#socket.write(chunk, taken)
  }

  readonly #taken = (error?: Error | null): void => {
    if (!error && !this.#socket.destroyed) this.handlers?.taken()
  }
}

export interface DialOptions {
  readonly address: string
  readonly token: string
  readonly timeoutMs: number
  open(channel: DataChannel): DataChannelHandlers
  failed(why: string): void
}

export function dialData(options: DialOptions): void {
  const { host, port } = splitAddress(options.address)
  let channel: SocketChannel | undefined
  // Node asks for a buffer ahead of each read, the first time before the socket is even connected.
  const first = new Uint8Array(1)
  const socket = new Socket({
    onread: {
      buffer: () => channel?.handlers?.buffer() ?? first,
      callback: (count: number, buffer: Uint8Array) => {
        if (buffer === first) channel?.deliver(buffer.subarray(0, count))
        else channel?.received(buffer, count)
        return true
      },
    },
  } as SocketConstructorOpts)
  let answered = false
  const fail = (why: string) => {
    if (!answered) options.failed(why)
    answered = true
    socket.destroy()
  }
  socket.setTimeout(options.timeoutMs, () => fail('timed out'))
  socket.on('error', (error) => fail(error.message))
  socket.on('close', () => fail('closed'))
  socket.connect({ host, port }, () => {
    socket.setTimeout(0)
    socket.write(tokenLine(options.token))
    answered = true
    channel = new SocketChannel(socket)
    channel.handlers = options.open(channel)
  })
}

export interface DataServerOptions {
  readonly address: string
  /** For a connection to show its token. */
  readonly timeoutMs: number
  /** Connections that have not shown it, whatever their age. */
  readonly strangersMax: number
  readonly strangerGraceMs: number
  /** Hears all of a session; of a connection that is refused it hears nothing but its end. */
  tap(): WireTap | undefined
  /** What the channel calls, or undefined if the token is no session's. */
  accept(token: string, channel: DataChannel): DataChannelHandlers | undefined
  refused(why: string, from: string): void
}

export class DataServer {
  readonly #options: DataServerOptions
  readonly #server: Server
  readonly #strangers: StrangerPlaces

  private constructor(options: DataServerOptions) {
    const { strangersMax: burstMax, strangerGraceMs: graceMs } = options
    this.#options = options
    const max = Math.min(LIMITS.strangersMax, burstMax)
    this.#strangers = new StrangerPlaces({ max, burstMax, graceMs })
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Rejects with the error of listening. */
  static async listen(options: DataServerOptions): Promise<DataServer> {
    const server = new DataServer(options)
    const { host, port } = splitAddress(options.address)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(port, host, resolve)
    })
    server.#server.on('error', (error) => options.refused(error.message, 'nobody in particular'))
    return server
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return joinAddress(address, port)
  }

  close(): void {
    this.#server.close()
    this.#strangers.evictAll()
  }

  /** Reads the token line and not one byte further, then hands the socket over. */
  #accept(socket: Socket): void {
    let line = ''
    const from = `${socket.remoteAddress}:${socket.remotePort}`
    const refuse = (why: string) => {
      clearTimeout(timer)
      this.#options.refused(why, from)
      socket.destroy()
    }
    const timer = setTimeout(() => refuse('no token line in time'), this.#options.timeoutMs)
    socket.on('error', () => socket.destroy())
    const place = this.#strangers.take(() => socket.destroy())
    const close = () => {
      clearTimeout(timer)
      place.leave()
    }
    socket.once('close', close)
    const onData = (bytes: Buffer) => {
      const end = bytes.indexOf(0x0a)
      line += bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
      if (line.length > LIMITS.tokenLineBytesMax) return refuse('the token line is too long')
      if (end < 0) return undefined
      socket.off('data', onData)
      socket.off('close', close)
      close()
      return this.#open(socket, line, bytes.subarray(end + 1), refuse)
    }
    socket.on('data', onData)
  }

  #open(socket: Socket, line: string, rest: Buffer, refuse: (why: string) => void): void {
    const [word, version, token] = line.split(' ')
    if (word !== 'colo-pair' || token === undefined) return refuse('no token line of this protocol')
    if (version !== String(PROTOCOL_VERSION.major)) return refuse(`protocol version ${version}`)
    const channel = new SocketChannel(socket, this.#options.tap())
    const handlers = this.#options.accept(token, channel)
    if (handlers === undefined) return refuse('the token is of no session')
    channel.handlers = handlers
    const deliver = (bytes: Buffer) => channel.deliver(bytes)
    socket.on('data', deliver)
    if (rest.length > 0) deliver(rest)
  }
}
