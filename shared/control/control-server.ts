// The control channel's door: a WebSocket server that hears one hello and then knows whom it talks to. A peer's
// link goes to the side; an operator's questions and verbs go to the daemon. A message that is no JSON, not of
// the schema, too long or too late ends its own connection with an answer that names what is wrong, and
// disturbs no other.

import type { AddressInfo } from 'node:net'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { ZodError } from 'zod'
import { joinAddress, splitAddress } from '../channel/address.ts'
import type { ControlLink, ControlLinkHandlers } from '../ports.ts'
import { LIMITS } from '../protocol/limits.ts'
import { PROTOCOL_VERSION } from '../protocol/messages.ts'
import {
  firstMessageSchema,
  peerMessageSchema,
  verbSchema,
  type Answer,
  type OperatorMessage,
  type PeerHello,
  type PeerMessage,
  type VerbMessage,
} from './messages.ts'

export interface OperatorSession {
  /** Answers are sent by the caller; undefined: nothing to say yet. */
  verb(message: VerbMessage): Promise<Answer>
  closed(): void
}

export interface ControlServerOptions {
  readonly address: string
  readonly helloTimeoutMs: number
  acceptPeer(hello: PeerHello, link: ControlLink): ControlLinkHandlers | undefined
  acceptOperator(send: (message: OperatorMessage) => void): OperatorSession
  refused(why: string, from: string): void
}

/** One line of what zod found: the field and what was expected. */
export function describeZodError(error: ZodError): string {
  const [first] = error.issues
  const where = first?.path.join('.') || 'the message'
  return `${where}: ${first?.message ?? 'not of the schema'}`.slice(0, 500)
}

/** The JSON of a text message, or what is wrong with it. */
export function parseMessage(data: RawData, isBinary: boolean): { json: unknown } | string {
  if (isBinary) return 'a binary message; this channel carries JSON text'
  try {
    return { json: JSON.parse((data as Buffer).toString('utf8')) as unknown }
  } catch {
    return 'not JSON'
  }
}

/** Both ends of a peer link: checks what comes, and closes the link on what it does not understand. */
export function peerLink(
  socket: WebSocket,
  handlers: () => ControlLinkHandlers | undefined,
  bad: (why: string) => void,
): ControlLink {
  let closed = false
  let hungUp = false
  const close = () => {
    if (closed || hungUp) return
    closed = true
    handlers()?.closed()
  }
  socket.on('message', (data, isBinary) => {
    const current = handlers()
    if (closed || current === undefined) return
    const parsed = parseMessage(data, isBinary)
    const message =
      typeof parsed === 'string' ? undefined : peerMessageSchema.safeParse(parsed.json)
    if (hungUp && (!message?.success || message.data.type !== 'bye')) return
    if (message?.success) return current.message(message.data)
    bad(typeof parsed === 'string' ? parsed : describeZodError(message!.error))
    socket.terminate()
  })
  socket.on('close', close)
  socket.on('error', close)
  return {
    send: (message: PeerMessage) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    },
    close: () => {
      hungUp = true
      socket.close()
      setTimeout(() => socket.terminate(), 1000).unref()
    },
  }
}

export class ControlServer {
  readonly #options: ControlServerOptions
  readonly #server: WebSocketServer

  private constructor(options: ControlServerOptions) {
    const { host, port } = splitAddress(options.address)
    this.#options = options
    this.#server = new WebSocketServer({
      host,
      port,
      maxPayload: LIMITS.controlMessageBytesMax,
      perMessageDeflate: false,
    })
    this.#server.on('connection', (socket, request) => {
      const { remoteAddress, remotePort } = request.socket
      request.socket.setNoDelay(true)
      this.#accept(socket, `${remoteAddress}:${remotePort}`)
    })
  }

  /** Rejects with the error of listening. */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const server = new ControlServer(options)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('listening', resolve)
      server.#server.once('error', reject)
    })
    server.#server.on('error', (error) => options.refused(error.message, 'nobody in particular'))
    return server
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return joinAddress(address, port)
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate()
    this.#server.close()
  }

  #accept(socket: WebSocket, from: string): void {
    const refuse = (code: 'bad-message' | 'wrong-version' | 'not-now', reason: string) => {
      this.#options.refused(`${code}: ${reason}`, from)
      socket.send(JSON.stringify({ type: 'refused', code, reason }))
      socket.close()
      setTimeout(() => socket.terminate(), 1000).unref()
    }
    socket.on('error', () => socket.terminate())
    if (this.#server.clients.size > LIMITS.controlConnectionsMax) {
      return refuse('not-now', `more than ${LIMITS.controlConnectionsMax} control connections`)
    }
    const timer = setTimeout(
      () => refuse('bad-message', 'no hello in time'),
      this.#options.helloTimeoutMs,
    )
    socket.once('close', () => clearTimeout(timer))
    socket.once('message', (data, isBinary) => {
      clearTimeout(timer)
      const parsed = parseMessage(data, isBinary)
      if (typeof parsed === 'string') return refuse('bad-message', parsed)
      const version = majorOf(parsed.json)
      if (version !== undefined && version !== PROTOCOL_VERSION.major) {
        const ours = PROTOCOL_VERSION.major
        return refuse('wrong-version', `protocol ${version}, this side speaks ${ours}`)
      }
      const hello = firstMessageSchema.safeParse(parsed.json)
      if (!hello.success) return refuse('bad-message', describeZodError(hello.error))
      if (hello.data.from === 'operator') return this.#operator(socket, refuse)
      return this.#peer(socket, hello.data, from)
    })
    return undefined
  }

  #peer(socket: WebSocket, hello: PeerHello, from: string): void {
    let handlers: ControlLinkHandlers | undefined
    const bad = (why: string) => this.#options.refused(`bad-message: ${why}`, from)
    const link = peerLink(socket, () => handlers, bad)
    handlers = this.#options.acceptPeer(hello, link)
  }

  #operator(socket: WebSocket, refuse: (code: 'bad-message', reason: string) => void): void {
    const send = (message: OperatorMessage) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    }
    const session = this.#options.acceptOperator(send)
    socket.on('close', () => session.closed())
    socket.on('message', (data, isBinary) => {
      const parsed = parseMessage(data, isBinary)
      if (typeof parsed === 'string') return refuse('bad-message', parsed)
      const verb = verbSchema.safeParse(parsed.json)
      if (!verb.success) return refuse('bad-message', describeZodError(verb.error))
      session.verb(verb.data).then(send, (error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error)
        send({ type: 'answer', id: verb.data.id, ok: false, code: 'not-now', detail })
      })
      return undefined
    })
  }
}

function majorOf(json: unknown): number | undefined {
  const version = (json as { version?: { major?: unknown } } | null)?.version?.major
  return typeof version === 'number' ? version : undefined
}
