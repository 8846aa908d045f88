// Two real daemons as processes, with real sockets between them that a test may route through a proxy and cut.
// Everything a test starts is ended by its own pid; every wait is for a condition and has a deadline that is
// only there to end a hung test.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort as choosePort } from '../../cli/up/ports.ts'
import type { Addresses, ConfigInput } from '../../daemon/config.ts'
import { OperatorClient } from '../../network/control-client.ts'
import type { Status } from '../../shared/protocol/control-messages.ts'
import { Proxy } from './proxy.ts'

const PATIENCE_MS = 30_000
const ROOT = join(import.meta.dirname, '..', '..')

/** All pairs of a run may be told to find dirty pages in one way. */
const DIRTY = process.env.COLO_DIRTY as ConfigInput['dirty']

export type Name = 'a' | 'b'

export interface PairOptions {
  readonly guest?: string
  readonly memoryMiB?: number
  readonly dirty?: ConfigInput['dirty']
  readonly delays?: Readonly<Record<string, number>>
  readonly witness?: string
  readonly record?: string
  readonly logLevel?: ConfigInput['logLevel']
  readonly failback?: 'auto' | 'manual'
  /** In place of a folder of its own. */
  readonly dir?: string
  /** A command before each daemon's, such as one that puts it into a cgroup. */
  readonly prefix?: Readonly<Record<Name, readonly string[]>>
  /** Route the channels from b to a through a proxy. */
  readonly proxied?: boolean
}

const taken = new Set<number>()

/** One that no outgoing connection of this machine can take meanwhile. */
export async function freePort(): Promise<number> {
  return choosePort(taken)
}

/** Waits until `condition` gives something, looking every few milliseconds. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await condition()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export class Pair {
  readonly dir: string
  readonly options: PairOptions
  readonly control: Record<Name, number>
  readonly clients: Record<Name, number>
  readonly data: Record<Name, number>
  readonly processes = new Map<Name, ChildProcess>()
  readonly controlProxy: Proxy | undefined
  readonly dataProxy: Proxy | undefined
  readonly #clients = new Map<Name, OperatorClient>()

  private constructor(
    options: PairOptions,
    ports: readonly number[],
    proxies: readonly (Proxy | undefined)[],
  ) {
    const [controlA, controlB, clientsA, clientsB, dataA, dataB] = ports
    this.options = options
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), 'colo-test-'))
    this.control = { a: controlA, b: controlB }
    this.clients = { a: clientsA, b: clientsB }
    this.data = { a: dataA, b: dataB }
    this.controlProxy = proxies[0]
    this.dataProxy = proxies[1]
  }

  /** No daemon runs yet. */
  static async prepare(options: PairOptions = {}): Promise<Pair> {
    const ports: number[] = []
    while (ports.length < 6) ports.push(await freePort())
    const proxies = options.proxied
      ? [await Proxy.to(ports[0]), await Proxy.to(ports[4])]
      : [undefined, undefined]
    return new Pair(options, ports, proxies)
  }

  /** Both daemons run; nothing is said of their states. */
  static async start(options: PairOptions = {}): Promise<Pair> {
    const pair = await Pair.prepare(options)
    await pair.launch('a', 'primary')
    await pair.launch('b', 'secondary')
    return pair
  }

  static async protected(options: PairOptions = {}): Promise<Pair> {
    const pair = await Pair.start(options)
    await pair.until('a', 'protected')
    await pair.until('b', 'protected')
    return pair
  }

  config(
    name: Name,
    told: 'primary' | 'secondary',
    change: Partial<ConfigInput> = {},
  ): ConfigInput {
    const { options } = this
    const other = name === 'a' ? 'b' : 'a'
    const peer = name === 'b' && this.controlProxy ? this.controlProxy.port : this.control[other]
    return {
      name,
      pair: 'test',
      told,
      isNew: told === 'primary',
      dir: this.dir,
      control: `127.0.0.1:${this.control[name]}`,
      data: `127.0.0.1:${this.data[name]}`,
      clients: `127.0.0.1:${this.clients[name]}`,
      peer: `127.0.0.1:${peer}`,
      advertiseData:
        name === 'a' && this.dataProxy ? `127.0.0.1:${this.dataProxy.port}` : undefined,
      guest: guestFile(options.guest ?? 'kv'),
      memoryBytes: (options.memoryMiB ?? 16) << 20,
      dirty: options.dirty ?? DIRTY,
      witness: options.witness,
      failback: options.failback,
      record: options.record,
      log: join(this.dir, `${name}.log`),
      logLevel: options.logLevel,
      delays: options.delays ?? {},
      ...change,
    }
  }

  async launch(
    name: Name,
    told: 'primary' | 'secondary',
    change: Partial<ConfigInput> = {},
    prefix: readonly string[] = this.options.prefix?.[name] ?? [],
  ): Promise<Addresses> {
    const { child, addresses } = await startDaemon(this.config(name, told, change), prefix)
    this.processes.set(name, child)
    return addresses
  }

  process(name: Name): ChildProcess {
    const child = this.processes.get(name)
    if (child === undefined) throw new Error(`${name} was not started`)
    return child
  }

  /** Ends or stops a daemon by a signal; after SIGKILL it is gone when this returns. */
  async signal(name: Name, signal: NodeJS.Signals): Promise<void> {
    const child = this.process(name)
    const gone = once(child, 'exit')
    child.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await gone
    this.#clients.get(name)?.close()
    this.#clients.delete(name)
  }

  async client(name: Name): Promise<OperatorClient> {
    const known = this.#clients.get(name)
    if (known) return known
    const client = await OperatorClient.connect(`127.0.0.1:${this.control[name]}`)
    client.onClosed = () => this.#clients.delete(name)
    this.#clients.set(name, client)
    return client
  }

  async status(name: Name, digest = false): Promise<Status> {
    return (await this.client(name)).status(digest ? this.token() : undefined)
  }

  token(): string {
    return readFileSync(join(this.dir, 'test', 'token'), 'utf8').trim()
  }

  log(name: Name): string {
    return readFileSync(join(this.dir, `${name}.log`), 'utf8')
  }

  /** Waits until `name` is in `state`. */
  async until(name: Name, state: Status['state']): Promise<Status> {
    return until(`${name} to be ${state}`, async () => {
      const status = await this.status(name).catch(() => undefined)
      return status?.state === state && status
    })
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients.values()) client.close()
    for (const child of this.processes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    this.controlProxy?.close()
    this.dataProxy?.close()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

export function guestFile(name: string): string {
  return join(ROOT, 'dist', 'guests', `${name}.wasm`)
}

const BUNDLED = [join(ROOT, 'dist', 'test-bin', 'daemon-process.cjs')]
/** For a debugger: from its modules, which have source maps. */
const INSPECTED = [
  '--inspect=127.0.0.1:9229',
  '--enable-source-maps',
  join(ROOT, 'dist', 'test', 'integration', 'daemon-process.js'),
]

/** `prefix`: a command that runs the one behind it, such as `prlimit`. */
export async function startDaemon(
  config: ConfigInput,
  prefix: readonly string[] = [],
): Promise<{ child: ChildProcess; addresses: Addresses }> {
  const program = process.env['COLO_INSPECT'] === config.name ? INSPECTED : BUNDLED
  const [command, ...rest] = [...prefix, process.execPath, ...program, JSON.stringify(config)]
  // With a channel, as `fork` has it: the daemon ends when the test does.
  const child = spawn(command ?? '', rest, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let said = ''
  let complaint = ''
  child.stderr?.on('data', (bytes) => (complaint += String(bytes)))
  child.stdout?.on('data', (bytes) => (said += String(bytes)))
  const line = await until('a daemon to listen', () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended: ${complaint}`)
    return said.includes('\n') && said
  })
  return { child, addresses: JSON.parse(line) as Addresses }
}
