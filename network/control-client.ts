// The other end of the control channel: a peer that dials its peer, and an operator's client that asks and
// commands. Both say hello first.

import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { joinAddress } from './address.ts'
import type { ControlLink, ControlLinkHandlers } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import { PROTOCOL_VERSION } from '../shared/protocol/words.ts'
import { describeZodError, parseMessage } from './control-text.ts'
import {
  operatorMessageSchema,
  type Answer,
  type OperatorMessage,
  type Status,
  type VerbMessage,
  type VerbName,
} from '../shared/protocol/control-messages.ts'
import { peerLink } from './peer-link.ts'

const options = (timeoutMs: number, maxPayload: number) => ({
  handshakeTimeout: timeoutMs,
  maxPayload,
  perMessageDeflate: false,
  finishRequest: sayAddress,
})

/**
 * `Host` is the address that the name stood for: a side takes names from nobody, since a web page could come by
 * one, and the operator of the other side need not know by which name this one dials.
 */
function sayAddress(request: ClientRequest): void {
  request.once('socket', (socket: Socket) => {
    socket.once('connect', () => {
      request.setHeader('Host', joinAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0))
      request.end()
    })
  })
}

/** Dials a peer's control address. The caller says hello on the link. */
export function dialPeer(
  address: string,
  timeoutMs: number,
  answer: {
    open(link: ControlLink): ControlLinkHandlers
    failed(why: string): void
    bad(why: string): void
  },
): void {
  const socket = new WebSocket(`ws://${address}`, options(timeoutMs, LIMITS.controlMessageBytesMax))
  let handlers: ControlLinkHandlers | undefined
  const fail = (error: Error) => answer.failed(error.message)
  const bad = (why: string) => answer.bad(why)
  socket.once('error', fail)
  socket.once('open', () => {
    socket.off('error', fail)
    const link = peerLink(socket, () => handlers, bad)
    handlers = answer.open(link)
  })
}

/** What a side answered instead of doing what was asked. */
export class VerbFailed extends Error {
  readonly code: string

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`)
    this.code = code
  }
}

const STATUS_MS = 5000
/** A gigabyte in slices, behind another one. */
const DIGEST_MS = 30_000

/** An operator's connection to one side. */
export class OperatorClient {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer | Error) => void>()
  #ids = 0
  /** Called with the status after each change, once `watch` was asked. */
  onStatus: ((status: Status) => void) | undefined
  onClosed: (() => void) | undefined

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data, isBinary) => this.#receive(parseMessage(data, isBinary)))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      this.#failAll(new Error('the side closed the connection'))
      this.onClosed?.()
    })
  }

  /** Rejects if nobody listens at `address` within `timeoutMs`. */
  static async connect(address: string, timeoutMs = 2000): Promise<OperatorClient> {
    const socket = new WebSocket(
      `ws://${address}`,
      options(timeoutMs, LIMITS.controlAnswerBytesMax),
    )
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    socket.send(JSON.stringify({ type: 'hello', from: 'operator', version: PROTOCOL_VERSION }))
    return new OperatorClient(socket)
  }

  /** The answer, if the side did what was asked; rejects with VerbFailed if it did not. */
  async ask(
    verb: VerbName,
    fields: Partial<Omit<VerbMessage, 'type' | 'id' | 'verb'>> = {},
    timeoutMs = 5000,
  ): Promise<Answer> {
    const id = ++this.#ids
    const answer = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new Error(`no answer to ${verb} within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.set(id, (result) => {
        clearTimeout(timer)
        if (result instanceof Error) reject(result)
        else resolve(result)
      })
      this.#socket.send(JSON.stringify({ type: 'verb', id, verb, ...fields }))
    })
    if (!answer.ok) throw new VerbFailed(answer.code ?? 'not-now', answer.detail ?? verb)
    return answer
  }

  /** With the digest of the guest's memory if the token is given: reading all of it needs one. */
  async status(digestToken?: string): Promise<Status> {
    const fields = digestToken === undefined ? {} : { digest: true, token: digestToken }
    const timeoutMs = digestToken === undefined ? STATUS_MS : DIGEST_MS
    const { status } = await this.ask('status', fields, timeoutMs)
    if (status === undefined) throw new Error('an answer without a status')
    return status
  }

  close(): void {
    this.onClosed = undefined
    this.#socket.terminate()
  }

  #receive(parsed: { json: unknown } | string): void {
    if (typeof parsed === 'string') return this.#failAll(new Error(parsed))
    const message = operatorMessageSchema.safeParse(parsed.json)
    if (!message.success) {
      return this.#failAll(new Error(describeZodError(message.error)))
    }
    return this.#handle(message.data)
  }

  #handle(message: OperatorMessage): void {
    if (message.type === 'event') return this.onStatus?.(message.status)
    if (message.type === 'refused') {
      return this.#failAll(new VerbFailed(message.code, message.reason))
    }
    this.#waiting.get(message.id)?.(message)
    this.#waiting.delete(message.id)
    return undefined
  }

  #failAll(error: Error): void {
    for (const settle of this.#waiting.values()) settle(error)
    this.#waiting.clear()
  }
}
