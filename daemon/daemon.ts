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
import { WasmGuest } from '../shared/guest/wasm/wasm-guest.ts'
import type { Clock, Trace, World } from '../shared/ports.ts'
import { isWanted } from '../shared/protocol/errors.ts'
import { Side } from '../side/side.ts'
import { ClientServer } from './client-server.ts'
import { chooseWitness, type Config } from './config.ts'
import { OperatorDesk } from './operator-desk.ts'
import { Recording } from './recording.ts'
import { readOrMakeToken, removeRunFile, writeRunFile } from './run-files.ts'
import { SeenFile } from './seen-file.ts'
import { Statistics } from './statistics.ts'
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
  readonly addresses: Addresses
  readonly side: Side
  /** Resolves with the reason when this daemon was stopped. */
  readonly stopped: Promise<string>
  readonly #dispose: () => void

  private constructor(
    config: Config,
    addresses: Addresses,
    side: Side,
    stopped: Promise<string>,
    dispose: () => void,
  ) {
    this.config = config
    this.addresses = addresses
    this.side = side
    this.stopped = stopped
    this.#dispose = dispose
  }

  /** Rejects when the guest is refused, an address is taken or the folder can't be used: the message says which. */
  static async start(config: Config): Promise<Daemon> {
    const home = join(config.dir, config.pair)
    mkdirSync(home, { recursive: true })
    const tokenFile = config.tokenFile ?? join(home, 'token')
    const token = readOrMakeToken(tokenFile)
    const log = openLog(config)
    const { delays } = config
    const guest = new WasmGuest(config.guest, config.memoryBytes, delays.guestCallTimeoutMs)
    const statistics = new Statistics()

    const clients = await listening(
      '--clients',
      ClientServer.listen(config.clients, {
        opened: () => side.clientOpened(),
        said: (connection, bytes) => side.clientSaid(connection, bytes),
        ended: (connection) => side.clientEnded(connection),
        closed: (connection) => side.clientClosed(connection),
      }),
    )
    const refused = (why: string, from: string) => log.warn({ from }, `refused: ${why}`)
    const data = await listening(
      '--data',
      DataServer.listen({
        address: config.data,
        timeoutMs: delays.helloTimeoutMs,
        accept: (given, channel) => side.acceptData(given, channel),
        tap: () => (config.record ? record(config.record) : undefined),
        refused,
      }),
    )
    const record = (folder: string) => {
      const name = `${config.name}-g${side.record.generation}-s${side.session}`
      return new Recording(folder, name, (why) => log.warn({ name }, `recording ended: ${why}`))
    }
    const control = await listening(
      '--control',
      ControlServer.listen({
        address: config.control,
        helloTimeoutMs: delays.helloTimeoutMs,
        acceptPeer: (hello, link) => side.acceptPeer(hello, link),
        acceptOperator: (send) => desk.sit(send),
        refused,
      }),
    )
    const addresses = { control: control.address, data: data.address, clients: clients.address }

    const world: World = {
      clock: realClock,
      random: { token: () => randomBytes(16).toString('hex') },
      network: {
        dataAddress: config.advertiseData ?? addresses.data,
        dialPeer: (answer) =>
          dialPeer(config.peer, delays.helloTimeoutMs, {
            ...answer,
            bad: (why) => log.warn(`the peer said what can't be read: ${why}`),
          }),
        dialData: (to, answer) =>
          dialData({
            ...answer,
            address: reachable(to.address, config.peer),
            token: to.token,
            timeoutMs: delays.helloTimeoutMs,
            tap: undefined,
          }),
      },
      guest,
      output: clients,
      witness: openWitness(config, log),
      disk: new SeenFile(join(home, `${config.name}.seen`)),
      trace: openTrace(log, statistics, () => desk.changed()),
    }
    let ended: (why: string) => void = () => {}
    const stopped = new Promise<string>((resolve) => (ended = resolve))
    const identity = { pair: config.pair, token, guest: guest.identity }
    const { name, told, failback } = config
    const side = new Side({
      world,
      identity,
      name,
      told,
      delays,
      failback,
      stopped: (why) => ended(why),
    })
    const desk = new OperatorDesk({ config, token, addresses, side, statistics, guest, world })
    guest.attach(side.guest)
    writeRunFile(config.dir, {
      name,
      pair: config.pair,
      pid: process.pid,
      told,
      ...addresses,
      tokenFile,
      guest: guest.identity.name,
    })
    log.info({ ...addresses, told, pair: config.pair, witness: world.witness.kind }, 'listening')
    if (world.witness.warning) log.warn(world.witness.warning)
    side.start()
    return new Daemon(config, addresses, side, stopped, () => {
      control.close()
      data.close()
      clients.dispose()
      guest.dispose()
      removeRunFile(config.dir, config.pair, name)
    })
  }

  /** Leaves by request: the peer is told and goes on alone. */
  stop(): void {
    this.side.stop(false)
  }

  /** Closes every door. After `stopped`. */
  dispose(): void {
    this.#dispose()
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

function openTrace(log: Logger, statistics: Statistics, changed: () => void): Trace {
  return {
    log: (level, message, fields = {}) => log[level](fields, message),
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
