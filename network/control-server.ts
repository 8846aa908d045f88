// Where the peer and operators come in: a WebSocket server that hears one hello and then knows whom it talks to.
// A peer's link goes to the side; an operator's questions and verbs go to the daemon. A message that is no JSON,
// not of the schema, too long or too late ends its own connection with an answer that names what is wrong, and
// disturbs no other. Until it shows the token a connection has one of few places, which a newer one may take.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { joinAddress, splitAddress } from './address.ts'
import { StrangerPlaces, type StrangerPlace } from './stranger-places.ts'
import type { ControlLink, ControlLinkHandlers } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import { PROTOCOL_VERSION } from '../shared/protocol/words.ts'
import { describeZodError, majorOf, parseMessage } from './control-text.ts'
import { firstMessageSchema, type PeerHello } from '../shared/protocol/control-messages.ts'
import { OperatorLink, type OperatorSession } from './operator-link.ts'
import { peerLink } from './peer-link.ts'
import { RationedStream } from './rationed-stream.ts'
import { Turns } from './turns.ts'
import { refusedRequest } from './web-requests.ts'

export interface ControlServerOptions {
  readonly address: string
  readonly delays: Pick<
    Delays,
    'helloTimeoutMs' | 'clientKeepAliveMs' | 'operatorPingMs' | 'operatorIdleMs' | 'strangerGraceMs'
  >
  /** Connections that have not said hello, and operators without the token. */
  readonly strangersMax: number
  readonly operatorsMax: number
  /** Names that a request may have in `Host`, beside addresses and localhost. */
  readonly httpHosts: readonly string[]
  /** True if it is the token of this pair. */
  holdsToken(token: string | undefined): boolean
  acceptPeer(hello: PeerHello, link: ControlLink): ControlLinkHandlers | undefined
  /** `tell` sends an event, as JSON, to an operator that watches. */
  acceptOperator(tell: (event: string) => void): OperatorSession
  refused(why: string, from: string): void
}

type RefusalCode = 'bad-message' | 'wrong-version' | 'not-now'

const HEADER_BYTES_MAX = 8192
const FRAGMENTS_MAX = 64
const UPGRADES_PER_TURN = 4
const NO_HEAD = Buffer.alloc(0)
const LAST_WORD_MS = 1000

/** A connection before its request is whole. */
interface Knock {
  readonly place: StrangerPlace
  readonly timer: NodeJS.Timeout
}

/** A connection before its hello. */
interface Caller {
  readonly socket: WebSocket
  readonly from: string
  readonly place: StrangerPlace
  readonly stream: RationedStream
}

export class ControlServer {
  readonly #options: ControlServerOptions
  readonly #http: Server
  readonly #webSockets: WebSocketServer
  readonly #strangers: StrangerPlaces
  readonly #operators: StrangerPlaces
  readonly #knocks = new WeakMap<Socket, Knock>()
  readonly #turns = new Turns()
  readonly #upgrades: (() => void)[] = []
  readonly #links = new Set<OperatorLink>()
  /** Connections that have shown the token: operators and peers, each counted for itself. */
  readonly #trusted = { operators: 0, peers: 0 }
  readonly #silent = new WeakSet<WebSocket>()
  readonly #pings: NodeJS.Timeout

  private constructor(options: ControlServerOptions) {
    this.#options = options
    const { delays, strangersMax, operatorsMax } = options
    const { helloTimeoutMs: timeoutMs, strangerGraceMs: graceMs } = delays
    const max = Math.min(LIMITS.strangersMax, strangersMax)
    this.#strangers = new StrangerPlaces({ max, burstMax: strangersMax, graceMs })
    const burstMax = operatorsMax + max
    this.#operators = new StrangerPlaces({ max: operatorsMax, burstMax, graceMs })
    this.#http = createServer({
      ...{ headersTimeout: timeoutMs, requestTimeout: timeoutMs, noDelay: true, keepAlive: true },
      ...{ keepAliveInitialDelay: delays.clientKeepAliveMs, maxHeaderSize: HEADER_BYTES_MAX },
    })
    this.#webSockets = new WebSocketServer({
      ...{ noServer: true, perMessageDeflate: false },
      ...{ maxPayload: LIMITS.controlMessageBytesMax, maxFragments: FRAGMENTS_MAX },
    })
    this.#http.on('connection', (socket: Socket) => this.#connected(socket))
    this.#http.on('clientError', (_, socket) => socket.destroy())
    this.#http.on('request', (_, response) => {
      response.writeHead(426, { Connection: 'close' }).end('a WebSocket speaks here\n')
    })
    this.#http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#upgrade(request, socket, head)
    })
    this.#pings = setInterval(() => this.#lookAtAll(), delays.operatorPingMs)
    this.#pings.unref()
  }

  /** Rejects with the error of listening. */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const server = new ControlServer(options)
    const { host, port } = splitAddress(options.address)
    await new Promise<void>((resolve, reject) => {
      server.#http.once('error', reject)
      server.#http.listen(port, host, resolve)
    })
    server.#http.on('error', (error) => options.refused(error.message, 'nobody in particular'))
    return server
  }

  get address(): string {
    const { address, port } = this.#http.address() as AddressInfo
    return joinAddress(address, port)
  }

  close(): void {
    clearInterval(this.#pings)
    for (const socket of this.#webSockets.clients) socket.terminate()
    this.#http.close()
    this.#http.closeAllConnections()
  }

  #connected(socket: Socket): void {
    const { helloTimeoutMs } = this.#options.delays
    socket.on('error', () => socket.destroy())
    // Node's own timeouts are looked at only now and then, and a request may come in drops.
    const timer = setTimeout(() => {
      this.#options.refused('no request in time', addressOf(socket))
      socket.destroy()
    }, helloTimeoutMs)
    const place = this.#strangers.take(() => socket.destroy())
    this.#knocks.set(socket, { place, timer })
    socket.once('close', () => {
      clearTimeout(timer)
      place.leave()
    })
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const from = addressOf(socket)
    const why = refusedRequest(request, this.#options.httpHosts)
    const knock = this.#knocks.get(socket)
    if (why !== undefined || knock === undefined || head.length > LIMITS.strangerBytesMax) {
      this.#options.refused(why ?? 'more than a request before the answer', from)
      const body = `${why ?? 'wait for the answer'}\n`
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        () => socket.destroySoon(),
      )
      return
    }
    const stream = new RationedStream(socket, head, LIMITS.strangerBytesMax)
    // Each costs a fraction of a millisecond, and a crowd may come at once.
    this.#upgrades.push(() => {
      if (stream.destroyed) return
      this.#webSockets.handleUpgrade(request, stream, NO_HEAD, (webSocket) => {
        clearTimeout(knock.timer)
        this.#accept({ socket: webSocket, from, place: knock.place, stream })
      })
    })
    if (this.#upgrades.length === 1) setImmediate(this.#upgradeSome)
  }

  readonly #upgradeSome = (): void => {
    for (const upgrade of this.#upgrades.splice(0, UPGRADES_PER_TURN)) upgrade()
    if (this.#upgrades.length > 0) setImmediate(this.#upgradeSome)
  }

  #accept(caller: Caller): void {
    const { socket } = caller
    socket.on('error', () => socket.terminate())
    socket.on('pong', () => this.#silent.delete(socket))
    const timer = setTimeout(
      () => this.#refuse(caller, 'bad-message', 'no hello in time'),
      this.#options.delays.helloTimeoutMs,
    )
    socket.once('close', () => clearTimeout(timer))
    socket.once('message', (data, isBinary) => {
      clearTimeout(timer)
      const parsed = parseMessage(data, isBinary)
      if (typeof parsed === 'string') return this.#refuse(caller, 'bad-message', parsed)
      const version = majorOf(parsed.json)
      if (version !== undefined && version !== PROTOCOL_VERSION.major) {
        const ours = PROTOCOL_VERSION.major
        return this.#refuse(
          caller,
          'wrong-version',
          `protocol ${version}, this side speaks ${ours}`,
        )
      }
      const hello = firstMessageSchema.safeParse(parsed.json)
      if (!hello.success) {
        return this.#refuse(caller, 'bad-message', describeZodError(hello.error))
      }
      if (hello.data.from === 'operator') return this.#operator(caller)
      return this.#peer(caller, hello.data)
    })
  }

  #refuse({ socket, from }: Caller, code: RefusalCode, reason: string): void {
    this.#options.refused(`${code}: ${reason}`, from)
    if (socket.readyState === socket.OPEN) {
      socket.send(JSON.stringify({ type: 'refused', code, reason }))
    }
    socket.close()
    setTimeout(() => socket.terminate(), LAST_WORD_MS).unref()
  }

  /** One that shows no token is refused by the side, and keeps the place of a stranger until it is gone. */
  #peer(caller: Caller, hello: PeerHello): void {
    const { socket, from, place } = caller
    let handlers: ControlLinkHandlers | undefined
    if (this.#options.holdsToken(hello.token)) {
      if (!this.#admit(caller, 'peers')) return
      place.leave()
    }
    const bad = (why: string) => this.#options.refused(`bad-message: ${why}`, from)
    const link = peerLink(socket, () => handlers, bad)
    handlers = this.#options.acceptPeer(hello, link)
  }

  /** False: there are too many that have shown the token, and it was refused. */
  #admit(caller: Caller, kind: 'operators' | 'peers'): boolean {
    const max = LIMITS.controlConnectionsMax
    if (this.#trusted[kind] >= max) {
      this.#refuse(caller, 'not-now', `more than ${max} control connections of ${kind}`)
      return false
    }
    caller.stream.lift()
    this.#trusted[kind]++
    caller.socket.once('close', () => this.#trusted[kind]--)
    return true
  }

  #operator(caller: Caller): void {
    const { socket, place } = caller
    place.leave()
    const operator = this.#operators.take(() => link.close())
    const link = new OperatorLink(socket, {
      turns: this.#turns,
      delays: this.#options.delays,
      acceptOperator: (tell) => this.#options.acceptOperator(tell),
      holdsToken: (token) => this.#options.holdsToken(token),
      trusted: () => {
        operator.leave()
        this.#admit(caller, 'operators')
      },
      asked: () => operator.renew(),
      sent: () => this.#boundOutput(),
      refuse: (code, reason) => this.#refuse(caller, code, reason),
    })
    caller.stream.ration(LIMITS.operatorBytesMax)
    this.#links.add(link)
    socket.once('close', () => {
      operator.leave()
      this.#links.delete(link)
    })
  }

  /** Answers that nobody reads are bounded over all operators: the one that reads least is closed. */
  #boundOutput(): void {
    let total = 0
    let slowest: OperatorLink | undefined
    for (const link of this.#links) {
      const { unreadBytes } = link
      total += unreadBytes
      if (slowest === undefined || unreadBytes > slowest.unreadBytes) slowest = link
    }
    if (total > LIMITS.operatorOutputBytesMax) slowest?.close()
  }

  /** A connection that has not answered the last ping is closed, and so is an idle operator's. */
  #lookAtAll(): void {
    for (const socket of this.#webSockets.clients) {
      if (this.#silent.has(socket)) {
        socket.terminate()
        continue
      }
      if (socket.readyState !== socket.OPEN) continue
      this.#silent.add(socket)
      socket.ping()
    }
    const now = performance.now()
    for (const link of this.#links) link.checkIdle(now)
  }
}

function addressOf(socket: Socket): string {
  return joinAddress(socket.remoteAddress ?? '?', socket.remotePort ?? 0)
}
