// The composition root: gives a side its real ports (clock, sockets, a guest in a thread, files) and answers
// operators. All that decides anything is in the pure folders; what is here connects.

import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { DataServer, dialData } from '../network/data-channel.ts'
import { reachable } from '../network/address.ts'
import { dialPeer } from '../network/control-client.ts'
import { ControlServer } from '../network/control-server.ts'
import type { OperatorSession } from '../network/operator-link.ts'
import type { PeerHello } from '../shared/protocol/control-messages.ts'
import type { Clock, ControlLink, ControlLinkHandlers, World } from '../shared/ports.ts'
import { sameToken } from '../side/admission.ts'
import { Side } from '../side/side.ts'
import { ClientServer } from '../network/client-server.ts'
import type { Addresses, Config } from './config.ts'
import { descriptorsMax, placesWith } from './descriptors.ts'
import { listenError } from './listen-error.ts'
import { thisProcess } from './living-process.ts'
import { openTrace } from './log.ts'
import { OperatorRequests } from './operator-requests.ts'
import { prepare, type Preparation } from './preparation.ts'
import { Recording } from './recording.ts'
import { RetriedWrite } from './retried-write.ts'
import { NameTaken, removeRunFile, runFilePath, writeRunFile, type RunFile } from './run-files.ts'
import { Statistics } from '../telemetry/statistics.ts'
import { StrangersLog } from './strangers-log.ts'
import { VERSION } from './version.ts'

const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
  soon: (callback) => void setImmediate(callback),
}

/** The start does not wait longer than this for the run file; it is then written beside the daemon's work. */
const RUN_FILE_MS = 1000
const STARTING = 'this side is starting'

export class Daemon {
  readonly config: Config
  /** Resolves with the reason when this daemon was stopped. */
  readonly stopped: Promise<string>
  readonly #prepared: Preparation
  readonly #statistics = new Statistics()
  readonly #strangers: StrangersLog
  readonly #runFile: RetriedWrite<RunFile>
  #ended: (why: string) => void = () => undefined
  #endsAt: number | undefined
  #clients: ClientServer | undefined
  #data: DataServer | undefined
  #control: ControlServer | undefined
  #side: Side | undefined
  #operators: OperatorRequests | undefined

  private constructor(config: Config) {
    const { dir, pair, name, control, delays } = config
    this.config = config
    this.#prepared = prepare(config, () => this.#operators?.changed())
    this.#strangers = new StrangersLog(this.#prepared.log)
    this.#runFile = new RetriedWrite({
      name: 'run file',
      path: runFilePath(dir, pair, name),
      meanwhile: `colo finds this daemon by --at only (--control is ${control})`,
      retryMs: delays.fileRetryMs,
      warnings: this.#prepared.warnings,
      put: async (run) => writeRunFile(dir, run),
    })
    this.stopped = new Promise<string>((resolve) => {
      this.#ended = resolve
    })
  }

  /**
   * Rejects, with everything closed again, when a file or a folder can't be used, the guest is refused, an address is
   * taken or a daemon of this name lives: the message says which, and the way out.
   */
  static async start(config: Config): Promise<Daemon> {
    const daemon = new Daemon(config)
    try {
      await daemon.#listen()
      await daemon.#writeRunFile()
      daemon.#begin()
      return daemon
    } catch (error) {
      await daemon.dispose()
      throw error
    }
  }

  get addresses(): Addresses {
    const [control, data, clients] = [this.#control, this.#data, this.#clients]
    if (!control || !data || !clients) throw new Error('the daemon does not listen yet')
    return { control: control.address, data: data.address, clients: clients.address }
  }

  /** Leaves by request: the peer is told and goes on alone. */
  stop(): void {
    this.#endsAt ??= performance.now() + this.#endMs
    this.#side?.stop(false)
  }

  /** What is left of the time that the end of this daemon may take. */
  get endsWithinMs(): number {
    this.#endsAt ??= performance.now() + this.#endMs
    return Math.max(0, this.#endsAt - performance.now())
  }

  get #endMs(): number {
    const { yieldTimeoutMs, witnessTimeoutMs } = this.config.delays
    return yieldTimeoutMs + witnessTimeoutMs
  }

  /** Closes everything. What is still to be written gets a bounded time. After `stopped`. */
  async dispose(): Promise<void> {
    const { dir, pair, name } = this.config
    const { guest, seen, logDestination, moduleWrite } = this.#prepared
    this.#control?.close()
    this.#data?.close()
    this.#clients?.dispose()
    guest.dispose()
    this.#runFile.dispose()
    moduleWrite?.dispose()
    const removed = this.#runFile.settled().then(async () => removeRunFile(dir, pair, name))
    const last = Promise.allSettled([removed, seen.settled(), logDestination.settled()])
    await Promise.race([last, delay(this.endsWithinMs, undefined, { ref: false })])
    seen.dispose()
    logDestination.dispose()
  }

  /** A connection that comes before the side is there is refused. */
  async #listen(): Promise<void> {
    const { config } = this
    const { log, token, warnings } = this.#prepared
    const { delays, httpHosts } = config
    const places = placesWith(descriptorsMax())
    const strangers = this.#strangers
    const refused = (why: string, from: string) => strangers.refused(why, from)
    const clients = ClientServer.listen({
      address: config.clients,
      connectionsMax: places.clients,
      delays,
      handlers: {
        opened: (address) => this.#side?.clientOpened(address),
        said: (connection, bytes) => this.#side?.clientSaid(connection, bytes),
        ended: (connection) => this.#side?.clientEnded(connection),
        closed: (connection) => this.#side?.clientClosed(connection),
        failed: (why) => log.warn(`clients can't be accepted: ${why}`),
      },
      reset: (why, from) => strangers.clientReset(why, from),
      full: (what) => {
        if (what === undefined) warnings.clear('clients')
        else warnings.set('clients', what)
      },
    })
    this.#clients = await listening('--clients', config.clients, clients)
    const data = DataServer.listen({
      address: config.data,
      timeoutMs: delays.helloTimeoutMs,
      strangerGraceMs: delays.strangerGraceMs,
      strangersMax: places.strangers,
      accept: (given, channel) => this.#side?.acceptData(given, channel),
      tap: () => this.#recording(),
      refused,
    })
    this.#data = await listening('--data', config.data, data)
    const control = ControlServer.listen({
      address: config.control,
      delays,
      strangersMax: places.strangers,
      operatorsMax: places.operators,
      httpHosts: httpHosts.map((name) => name.toLowerCase()),
      holdsToken: (given) => sameToken(given, token),
      acceptPeer: (hello, link) => this.#acceptPeer(hello, link),
      acceptOperator: (tell) => this.#acceptOperator(tell),
      refused,
    })
    this.#control = await listening('--control', config.control, control)
  }

  #acceptPeer(hello: PeerHello, link: ControlLink): ControlLinkHandlers | undefined {
    if (this.#side !== undefined) return this.#side.acceptPeer(hello, link)
    link.send({ type: 'refused', code: 'not-now', reason: STARTING })
    link.close()
    return undefined
  }

  /** An operator who comes too early is told so, and may ask again on the same connection. */
  #acceptOperator(tell: (event: string) => void): OperatorSession {
    let session = this.#operators?.open(tell)
    return {
      verb: async (message) => {
        session ??= this.#operators?.open(tell)
        const { id } = message
        const refusal = {
          type: 'answer',
          id,
          ok: false,
          code: 'not-now',
          detail: STARTING,
        } as const
        return session === undefined ? refusal : session.verb(message)
      },
      closed: () => session?.closed(),
    }
  }

  #begin(): void {
    const { config, addresses } = this
    const { name, pair, told, isNew, delays, failback } = config
    const { token, guest, warnings, log } = this.#prepared
    const world = this.#world()
    const identity = { pair, token, guest: guest.identity, packageVersion: VERSION }
    const stopped = (why: string) => this.#ended(why)
    const side = new Side({ world, identity, name, told, isNew, delays, failback, stopped })
    this.#side = side
    this.#operators = new OperatorRequests({
      config,
      token,
      addresses,
      side,
      statistics: this.#statistics,
      guest,
      world,
      warnings,
    })
    guest.attach(side.guest)
    log.info({ version: VERSION, ...addresses, told, witness: world.witness.kind }, 'listening')
    if (world.witness.warning) log.warn(world.witness.warning)
    side.start()
  }

  /** Rejects if a living daemon has the name. A disk that can't be written is a warning: the pair needs no run file. */
  async #writeRunFile(): Promise<void> {
    const { name, pair, told } = this.config
    const { tokenFile, guest } = this.#prepared
    const where = { ...this.addresses, tokenFile, guest: guest.identity.name }
    const start = { folder: process.cwd(), config: this.config }
    this.#runFile.keep({ name, pair, ...thisProcess(), told, ...where, start })
    await Promise.race([this.#runFile.settled(), delay(RUN_FILE_MS, undefined, { ref: false })])
    if (this.#runFile.error instanceof NameTaken) throw this.#runFile.error
  }

  #world(): World {
    const { config } = this
    const { peer } = config
    const { log, guest, witness, seen } = this.#prepared
    const clients = this.#clients
    if (clients === undefined) throw new Error('the daemon does not listen yet')
    const timeoutMs = config.delays.helloTimeoutMs
    const bad = (why: string) => log.warn(`the peer said what can't be read: ${why}`)
    return {
      clock: realClock,
      random: { token: () => randomBytes(16).toString('hex') },
      network: {
        dataAddress: config.advertiseData ?? this.addresses.data,
        dialPeer: (answer) => dialPeer(peer, timeoutMs, { ...answer, bad }),
        dialData: ({ address, token }, answer) => {
          const there = reachable(address, peer)
          dialData({ ...answer, address: there, token, timeoutMs })
        },
      },
      guest,
      output: clients,
      witness,
      disk: seen,
      trace: openTrace(log, this.#strangers, this.#statistics, () => this.#operators?.changed()),
    }
  }

  #recording(): Recording | undefined {
    const { record, name } = this.config
    const side = this.#side
    if (record === undefined || side === undefined) return undefined
    const session = () => `${name}-g${side.record.generation}-s${side.session}`
    const { warnings } = this.#prepared
    return new Recording(record, session, {
      began: () => warnings.clear('recording'),
      failed: (why) =>
        warnings.set('recording', `recording ended: ${why}; the next session is tried`),
    })
  }
}

async function listening<T>(option: string, address: string, server: Promise<T>): Promise<T> {
  try {
    return await server
  } catch (error) {
    throw listenError(option, address, error)
  }
}
