// A pair of real daemons for a benchmark: two processes, free ports on loopback, a folder of their own. Whoever
// starts one ends it with dispose(); processes are ended by their own pid, and end by themselves should the
// benchmark be killed. Every wait is for a condition and has a deadline that ends a hung run.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { freePort } from '../cli/up/ports.ts'
import type { ConfigInput } from '../daemon/config.ts'
import { OperatorClient } from '../network/control-client.ts'
import type { Status } from '../shared/protocol/control-messages.ts'
import type { CheckpointRow } from '../shared/protocol/rows.ts'

const patienceMs = 30_000
const pollMs = 5
/** Who asks for the status takes the time of the daemon that is measured: a seed is left alone that long. */
const undisturbedMs = 300

const here = dirname(fileURLToPath(import.meta.url))
const root = basename(dirname(here)) === 'dist' ? dirname(dirname(here)) : dirname(here)
const daemonFile = join(root, 'dist', 'bench', 'daemon-process.js')

const sides = ['a', 'b'] as const
export type SideName = (typeof sides)[number]
export const otherSide = (name: SideName): SideName => (name === 'a' ? 'b' : 'a')

export interface PairOptions {
  readonly guest: string
  readonly memoryBytes: number
  readonly dirty?: ConfigInput['dirty']
  readonly delays?: Readonly<Record<string, number>>
  /** Arguments of Node itself, for a benchmark that looks into a daemon. */
  readonly nodeArguments?: readonly string[]
}

export const sleep = async (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Waits until `condition` gives something. */
async function until<T>(what: string, condition: () => Promise<T | undefined> | T | undefined) {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const found = await condition()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await sleep(pollMs)
  }
}

export class DaemonPair {
  readonly #dir = mkdtempSync(join(tmpdir(), 'colo-bench-'))
  readonly #options: PairOptions
  readonly #ports: Readonly<Record<SideName, { control: number; data: number; clients: number }>>
  readonly #processes = new Map<SideName, ChildProcess>()
  readonly #operators = new Map<SideName, OperatorClient>()
  readonly #killAtExit = () => this.#killAllAtOnce()
  #primary: SideName = 'a'

  private constructor(options: PairOptions, ports: readonly number[]) {
    const [controlA, controlB, dataA, dataB, clientsA, clientsB] = ports
    this.#options = options
    this.#ports = {
      a: { control: controlA, data: dataA, clients: clientsA },
      b: { control: controlB, data: dataB, clients: clientsB },
    }
    process.once('exit', this.#killAtExit)
  }

  /** Both sides are `protected` when it resolves. */
  static async start(options: PairOptions): Promise<DaemonPair> {
    const ports: number[] = []
    const taken = new Set<number>()
    while (ports.length < 3 * sides.length) ports.push(await freePort(taken))
    const pair = new DaemonPair(options, ports)
    try {
      await pair.launch('a', 'primary')
      await pair.launch('b', 'secondary')
      await pair.protected()
    } catch (error) {
      await pair.dispose()
      throw error
    }
    return pair
  }

  /** Starts one, does the work, and ends both daemons whatever came of it. */
  static async with<T>(options: PairOptions, work: (pair: DaemonPair) => Promise<T>): Promise<T> {
    const pair = await DaemonPair.start(options)
    try {
      return await work(pair)
    } finally {
      await pair.dispose()
    }
  }

  /** Who was the primary when the pair was last found protected. */
  get primary(): SideName {
    return this.#primary
  }

  get secondary(): SideName {
    return otherSide(this.#primary)
  }

  clientPort(name: SideName): number {
    return this.#ports[name].clients
  }

  process(name: SideName): ChildProcess {
    const child = this.#processes.get(name)
    if (child === undefined) throw new Error(`${name} was not started`)
    return child
  }

  async launch(name: SideName, told: 'primary' | 'secondary'): Promise<void> {
    const config = JSON.stringify(this.#config(name, told))
    const child = fork(daemonFile, [config], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...(this.#options.nodeArguments ?? [])],
    })
    this.#processes.set(name, child)
    let said = ''
    let complaint = ''
    child.stdout?.on('data', (bytes) => (said += String(bytes)))
    child.stderr?.on('data', (bytes) => (complaint += String(bytes)))
    await until(`daemon ${name} to listen`, () => {
      if (child.exitCode !== null) throw new Error(`daemon ${name} ended: ${complaint}`)
      return said.includes('\n') || undefined
    })
  }

  /** Waits until both sides call the pair protected, and learns who is what. */
  async protected(): Promise<void> {
    for (const name of sides) {
      const { role } = await this.#until(name, 'protected')
      if (role === 'primary') this.#primary = name
    }
  }

  /** Ends a daemon at once; it is gone when this resolves. */
  async kill(name: SideName): Promise<void> {
    const child = this.process(name)
    this.#forgetOperator(name)
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Ends the session, not the process: the secondary hangs until it is given up, and joins anew. */
  async rejoin(): Promise<void> {
    const child = this.process(this.secondary)
    child.kill('SIGSTOP')
    try {
      await this.#until(this.#primary, 'standalone')
    } finally {
      child.kill('SIGCONT')
    }
    await sleep(undisturbedMs)
    await this.protected()
  }

  async status(name: SideName): Promise<Status> {
    return (await this.#operator(name)).status()
  }

  /** The newest of the primary's rows, oldest first: of committed checkpoints after epoch `after`. */
  async checkpoints(rows: number, after = 0): Promise<CheckpointRow[]> {
    const { checkpoints } = await (await this.#operator(this.#primary)).ask('history', { rows })
    const all = (checkpoints ?? []) as unknown as CheckpointRow[]
    return all.filter(({ epoch, outcome }) => epoch > after && outcome === 'committed')
  }

  async dispose(): Promise<void> {
    for (const name of sides) {
      if (this.#processes.has(name)) await this.kill(name)
    }
    process.off('exit', this.#killAtExit)
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #config(name: SideName, told: 'primary' | 'secondary'): ConfigInput {
    const { control, data, clients } = this.#ports[name]
    return {
      name,
      pair: 'bench',
      told,
      isNew: told === 'primary',
      dir: this.#dir,
      control: `127.0.0.1:${control}`,
      data: `127.0.0.1:${data}`,
      clients: `127.0.0.1:${clients}`,
      peer: `127.0.0.1:${this.#ports[otherSide(name)].control}`,
      guest: join(root, 'dist', 'guests', `${this.#options.guest}.wasm`),
      memoryBytes: this.#options.memoryBytes,
      dirty: this.#options.dirty,
      log: join(this.#dir, `${name}.log`),
      delays: this.#options.delays ?? {},
    }
  }

  async #until(name: SideName, state: Status['state']): Promise<Status> {
    return until(`${name} to be ${state}`, async () => {
      const status = await this.status(name).catch(() => undefined)
      return status?.state === state ? status : undefined
    })
  }

  async #operator(name: SideName): Promise<OperatorClient> {
    const known = this.#operators.get(name)
    if (known) return known
    const operator = await OperatorClient.connect(`127.0.0.1:${this.#ports[name].control}`)
    operator.onClosed = () => this.#operators.delete(name)
    this.#operators.set(name, operator)
    return operator
  }

  #forgetOperator(name: SideName): void {
    this.#operators.get(name)?.close()
    this.#operators.delete(name)
  }

  #killAllAtOnce(): void {
    for (const child of this.#processes.values()) child.kill('SIGKILL')
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
