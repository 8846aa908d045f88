// The composition root: gives a side its real doors (clock, sockets, a guest in a thread, files) and answers
// operators. All that decides anything is in the pure rooms; what is here connects.

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino, type Logger } from 'pino'
import { DataServer, dialData } from '../shared/channel/data-channel.ts'
import { joinAddress, splitAddress } from '../shared/channel/address.ts'
import { dialPeer } from '../shared/control/control-client.ts'
import { ControlServer } from '../shared/control/control-server.ts'
import type { QemuTrace } from '../shared/formats/qemu/trace-events.ts'
import { traceLine } from '../shared/formats/qemu/trace-line.ts'
import { WasmGuest } from '../shared/guest/wasm/wasm-guest.ts'
import type { Clock, Trace, World } from '../shared/ports.ts'
import { isWanted } from '../shared/protocol/errors.ts'
import { sameToken } from '../side/admission.ts'
import { Side } from '../side/side.ts'
import { ClientServer } from './client-server.ts'
import { chooseWitness, type Config } from './config.ts'
import { OperatorDesk } from './operator-desk.ts'
import { Recording } from './recording.ts'
import { readOrMakeToken, removeRunFile, writeRunFile } from './run-files.ts'
import { SeenFile } from './seen-file.ts'
import { descriptorsMax, placesWith } from './descriptors.ts'
import { Statistics } from './statistics.ts'
import { StrangersLog } from './strangers-log.ts'
import { FileWitness } from './witness/file-witness.ts'
import { GrantingWitness } from './witness/granting-witness.ts'

const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
  soon: (callback) => void setImmediate(callback),
}

export interface Addresses {
  readonly control: string
  readonly data: string
  readonly clients: string
}

export class Daemon {
  readonly config: Config
  /** Resolves with the reason when this daemon was stopped. */
  readonly stopped: Promise<string>
  readonly #log: Logger
  readonly #tokenFile: string
  readonly #token: string
  readonly #guest: WasmGuest
  readonly #statistics = new Statistics()
  readonly #strangers: StrangersLog
  #ended: (why: string) => void = () => undefined
  #clients!: ClientServer
  #data!: DataServer
  #control!: ControlServer
  #side!: Side
  #desk!: OperatorDesk

  private constructor(config: Config) {
    const home = join(config.dir, config.pair)
    mkdirSync(home, { recursive: true })
    this.config = config
    this.#tokenFile = config.tokenFile ?? join(home, 'token')
    this.#token = readOrMakeToken(this.#tokenFile)
    this.#log = openLog(config)
    this.#strangers = new StrangersLog(this.#log)
    const { guest, memoryBytes, dirty, dir, delays } = config
    const cache = join(dir, 'modules')
    const options = { file: guest, memoryBytes, dirty, cache }
    this.#guest = new WasmGuest(options, delays.guestCallTimeoutMs, openQemuTrace(this.#log))
    this.stopped = new Promise<string>((resolve) => {
      this.#ended = resolve
    })
  }

  /** Rejects when the guest is refused, an address is taken or the folder can't be used: the message says which. */
  static async start(config: Config): Promise<Daemon> {
    const daemon = new Daemon(config)
    await daemon.#listen()
    daemon.#begin()
    return daemon
  }

  get addresses(): Addresses {
    const [control, data, clients] = [this.#control, this.#data, this.#clients]
    return { control: control.address, data: data.address, clients: clients.address }
  }

  /** Leaves by request: the peer is told and goes on alone. */
  stop(): void {
    this.#side.stop(false)
  }

  /** Closes every door. After `stopped`. */
  dispose(): void {
    this.#control.close()
    this.#data.close()
    this.#clients.dispose()
    this.#guest.dispose()
    removeRunFile(this.config.dir, this.config.pair, this.config.name)
  }

  /** Who comes before the side is there is not served yet: nothing is accepted until all doors are open. */
  async #listen(): Promise<void> {
    const { config } = this
    const { delays, httpHosts } = config
    const places = placesWith(descriptorsMax())
    const strangers = this.#strangers
    const refused = (why: string, from: string) => strangers.refused(why, from)
    const clients = ClientServer.listen({
      address: config.clients,
      connectionsMax: places.clients,
      delays,
      handlers: {
        opened: () => this.#side.clientOpened(),
        said: (connection, bytes) => this.#side.clientSaid(connection, bytes),
        ended: (connection) => this.#side.clientEnded(connection),
        closed: (connection) => this.#side.clientClosed(connection),
      },
      reset: (why, from) => strangers.clientReset(why, from),
      full: (what) => strangers.clientsFull(what),
    })
    this.#clients = await listening('--clients', clients)
    const data = DataServer.listen({
      address: config.data,
      timeoutMs: delays.helloTimeoutMs,
      strangerGraceMs: delays.strangerGraceMs,
      strangersMax: places.strangers,
      accept: (given, channel) => this.#side.acceptData(given, channel),
      tap: () => this.#recording(),
      refused,
    })
    this.#data = await listening('--data', data)
    const control = ControlServer.listen({
      address: config.control,
      delays,
      strangersMax: places.strangers,
      operatorsMax: places.operators,
      httpHosts: httpHosts.map((name) => name.toLowerCase()),
      holdsToken: (given) => sameToken(given, this.#token),
      acceptPeer: (hello, link) => this.#side.acceptPeer(hello, link),
      acceptOperator: (tell) => this.#desk.sit(tell),
      refused,
    })
    this.#control = await listening('--control', control)
  }

  #begin(): void {
    const { config, addresses } = this
    const { name, pair, told, delays, failback } = config
    const guest = this.#guest
    const world = this.#world()
    const identity = { pair, token: this.#token, guest: guest.identity }
    const stopped = (why: string) => this.#ended(why)
    const side = new Side({ world, identity, name, told, delays, failback, stopped })
    this.#side = side
    this.#desk = new OperatorDesk({
      config,
      token: this.#token,
      addresses,
      side,
      statistics: this.#statistics,
      guest,
      world,
    })
    guest.attach(side.guest)
    const { name: guestName } = guest.identity
    const pid = process.pid
    const tokenFile = this.#tokenFile
    writeRunFile(config.dir, { name, pair, pid, told, ...addresses, tokenFile, guest: guestName })
    this.#log.info({ ...addresses, told, witness: world.witness.kind }, 'listening')
    if (world.witness.warning) this.#log.warn(world.witness.warning)
    side.start()
  }

  #world(): World {
    const { config } = this
    const { dir, pair, name, peer } = config
    const timeoutMs = config.delays.helloTimeoutMs
    const bad = (why: string) => this.#log.warn(`the peer said what can't be read: ${why}`)
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
      guest: this.#guest,
      output: this.#clients,
      witness: openWitness(config, this.#log),
      disk: new SeenFile(join(dir, pair, `${name}.seen`)),
      trace: openTrace(this.#log, this.#strangers, this.#statistics, () => this.#desk.changed()),
    }
  }

  #recording(): Recording | undefined {
    const { record, name } = this.config
    if (record === undefined) return undefined
    const session = () => `${name}-g${this.#side.record.generation}-s${this.#side.session}`
    const ended = (why: string) => this.#log.warn(`recording ended: ${why}`)
    return new Recording(record, session, ended)
  }
}

/** A peer that listens on every interface is dialled where its control channel was. */
function reachable(address: string, peer: string): string {
  const { host, port } = splitAddress(address)
  return host === '0.0.0.0' || host === '::' ? joinAddress(splitAddress(peer).host, port) : address
}

async function listening<T>(option: string, server: Promise<T>): Promise<T> {
  try {
    return await server
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const way = code === 'EADDRINUSE' ? ': somebody listens there already, give another port' : ''
    throw new Error(`${option}: ${message}${way}`, { cause: error })
  }
}

function openLog(config: Config): Logger {
  const { name, pair, logLevel: level } = config
  const options = { level, base: { pair, name, pid: process.pid } }
  return pino(options, pino.destination({ dest: config.log ?? 1, sync: false, mkdir: true }))
}

function openWitness(config: Config, log: Logger): FileWitness | GrantingWitness {
  const { kind, folder } = chooseWitness(config)
  const problem = (why: string) =>
    log.warn({ witness: kind, folder }, `witness not reached: ${why}`)
  if (kind === 'file') return new FileWitness(folder, problem)
  return new GrantingWitness(kind, folder, problem)
}

/** What QEMU traces of a device's state; nothing is computed unless somebody wants to read it. */
function openQemuTrace(log: Logger): QemuTrace | undefined {
  if (!log.isLevelEnabled('trace')) return undefined
  return (event, ...args) => log.trace({ event }, traceLine(event, args).trimEnd())
}

function openTrace(
  log: Logger,
  strangers: StrangersLog,
  statistics: Statistics,
  changed: () => void,
): Trace {
  return {
    log: (level, message, fields = {}) => {
      if (level === 'warn') strangers.warned(message, fields)
      else log[level](fields, message)
    },
    error: (code, detail) => {
      const wanted = isWanted(code)
      log[wanted ? 'info' : 'error']({ code, wanted }, detail)
    },
    checkpoint: (row) => {
      statistics.checkpoint(row)
      if (log.isLevelEnabled('debug')) log.debug(row, 'checkpoint')
    },
    failover: (row) => {
      statistics.failover(row)
      log.warn(row, 'failover')
      changed()
    },
    changed,
  }
}
