// The pair that `colo up` launched: its two sides, each through all of its lives, what they say of themselves,
// and what they have done together. Everything that is asked of a side is asked through its control channel, as
// any operator would; nothing is known of its inside.

import { readToken } from '../../daemon/token-file.ts'
import { Statistics } from '../../telemetry/statistics.ts'
import type { Status } from '../../shared/protocol/control-messages.ts'
import type { Role } from '../../shared/protocol/words.ts'
import type { FailoverRow } from '../../shared/protocol/rows.ts'
import { oneLine } from '../../terminal/exit-codes.ts'
import { whyNotProtected, type SideSeen } from '../protection.ts'
import { showSeconds } from '../../terminal/units.ts'
import { Child } from './child.ts'
import type { SidePorts } from './ports.ts'
import { PATIENT_RETRY_MS, SideWatch, type SideEvents } from './side-watch.ts'

export const SIDE_NAMES = ['a', 'b'] as const
export type SideName = (typeof SIDE_NAMES)[number]
export const otherSide = (name: SideName): SideName => (name === 'a' ? 'b' : 'a')

/** At least so often is looked whether what is waited for has come, changes or not. */
const LOOK_AGAIN_MS = 50
/** A daemon that answers nothing for so long is shown as silent. */
export const SILENT_MS = 700

export interface PairRunOptions {
  readonly pair: string
  readonly ports: Readonly<Record<SideName, SidePorts>>
  readonly logFile: (name: SideName) => string
  /** The arguments of a daemon, but for its role and --new. */
  readonly daemonArguments: (name: SideName) => readonly string[]
  readonly tokenFile: string
  readonly respawn: boolean
  readonly say: (line: string) => void
}

export interface Side {
  readonly child: Child
  readonly watch: SideWatch
  /** The child has ended; who answers at its address was started by somebody else. */
  readonly isOutside: boolean
}

export interface FailoverSeen {
  readonly from: SideName
  readonly to: SideName
  readonly reason: string
  readonly detectedMs: number
  readonly servingMs: number
  readonly generation: number
}

export class PairRun {
  /** Of all lives together. */
  readonly statistics = new Statistics()
  readonly failovers: FailoverSeen[] = []
  /** What went wrong and nobody asked for. */
  readonly problems: string[] = []
  /** Until the pair was protected for the first time. */
  isStarting = true
  readonly #options: PairRunOptions
  readonly #sides = new Map<SideName, Side>()
  readonly #watches: SideWatch[] = []
  readonly #waiting = new Set<() => void>()
  #disturbedAt = 0
  #ending = false

  constructor(options: PairRunOptions) {
    this.#options = options
  }

  launch(name: SideName, role: Role): void {
    const { logFile, daemonArguments } = this.#options
    this.#sides.get(name)?.watch.close()
    const founding = role === 'primary' ? ['--new'] : []
    const child = new Child([role, ...daemonArguments(name), ...founding], logFile(name))
    const watch = this.#watch(name)
    this.#sides.set(name, { child, watch, isOutside: false })
    child.ended
      .then(() => this.#ended(name, child, watch))
      .catch((error: unknown) => this.problems.push(`${name}: ${oneLine(error)}`))
  }

  side(name: SideName): Side | undefined {
    return this.#sides.get(name)
  }

  isLiving(name: SideName): boolean {
    const side = this.#sides.get(name)
    if (side === undefined) return false
    return side.child.end === undefined || (side.isOutside && side.watch.isConnected)
  }

  /** Of the process that lives now, also if an operator started it. */
  pidOf(name: SideName): number | undefined {
    const child = this.#sides.get(name)?.child
    return child?.end === undefined ? child?.pid : this.status(name)?.pid
  }

  get living(): SideName[] {
    return SIDE_NAMES.filter((name) => this.isLiving(name))
  }

  /** What a living side said last. */
  status(name: SideName): Status | undefined {
    return this.isLiving(name) ? this.#sides.get(name)?.watch.status : undefined
  }

  /** How long this side has said nothing, milliseconds. */
  silenceOf(name: SideName): number {
    return performance.now() - (this.#sides.get(name)?.watch.heardAt ?? 0)
  }

  /** Who holds the role, as far as the sides that live say. */
  holderOf(role: Role): SideName | undefined {
    const holders = SIDE_NAMES.filter((name) => this.status(name)?.role === role)
    // Two say primary for a moment after a hung one continues: the newer generation is right.
    const generationOf = (name: SideName) => this.status(name)?.generation ?? 0
    return holders.toSorted((x, y) => generationOf(y) - generationOf(x))[0]
  }

  /** Both say so of the same generation, and have said it since the pair was disturbed last. */
  get isProtected(): boolean {
    const [a, b] = [this.status('a'), this.status('b')]
    if (a?.state !== 'protected' || b?.state !== 'protected') return false
    const fresh = SIDE_NAMES.every(
      (name) => (this.#sides.get(name)?.watch.heardAt ?? 0) > this.#disturbedAt,
    )
    return fresh && a.role !== b.role && a.generation === b.generation
  }

  /** A side as it shows itself, or why it does not. */
  seen(name: SideName): SideSeen & { readonly status: Status | undefined } {
    const status = this.status(name)
    const pid = this.pidOf(name)
    if (!this.isLiving(name)) return { name, status, absence: this.#sides.get(name)?.child.absence }
    if (status === undefined) return { name, status, absence: `starting (pid ${pid})` }
    const silence = this.silenceOf(name)
    if (silence < SILENT_MS) return { name, status }
    const absence = `no answer for ${showSeconds(silence)} (pid ${pid})`
    return { name, status: undefined, absence }
  }

  get whyNotProtected(): string | undefined {
    return whyNotProtected(SIDE_NAMES.map((name) => this.seen(name)))
  }

  /** `protected` if both live, else `standalone` on the one that does. */
  get isAsItShouldBe(): boolean {
    const { living } = this
    const [only] = living
    if (living.length === 2) return this.isProtected
    return only !== undefined && this.status(only)?.state === 'standalone'
  }

  /** A side that serves has the state of the guest, and so may one that still asks for leave to. */
  get isStateHeld(): boolean {
    const holding = new Set(['seeding', 'protected', 'claiming', 'standalone'])
    return this.living.some((name) => holding.has(this.status(name)?.state ?? ''))
  }

  get generation(): number {
    return Math.max(0, ...this.#watches.map(({ status }) => status?.generation ?? 0))
  }

  /** Summed over all lives of both sides. */
  total(field: 'checkpoints' | 'pages' | 'bytes'): number {
    return this.#watches.reduce((sum, { status }) => sum + (status?.[field] ?? 0), 0)
  }

  /** From now on only what is said later counts as the state of the pair. */
  disturb(): void {
    this.#disturbedAt = performance.now()
  }

  /** Asks both sides once more, so that the sums are complete. */
  async settle(): Promise<void> {
    await Promise.all(this.living.map(async (name) => this.#sides.get(name)?.watch.settle()))
  }

  /** True once `condition` holds; false if it does not within `withinMs`, or `given up` before. */
  async until(
    condition: () => boolean,
    withinMs: number,
    givenUp: () => boolean = () => false,
  ): Promise<boolean> {
    const end = performance.now() + withinMs
    while (!condition()) {
      if (givenUp() || performance.now() >= end) return false
      const wait = Math.min(LOOK_AGAIN_MS, end - performance.now())
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          this.#waiting.delete(done)
          resolve()
        }
        const timer = setTimeout(done, wait)
        this.#waiting.add(done)
      })
    }
    return true
  }

  /** Ends whoever lives: by request of the pair, then by SIGTERM, then by SIGKILL. */
  async end(graceMs: number, hurry: () => boolean): Promise<void> {
    this.#ending = true
    const children = SIDE_NAMES.flatMap((name) => this.#sides.get(name)?.child ?? [])
    const allEnded = () => children.every((child) => child.end !== undefined)
    for (const child of children) {
      child.wanted = true
      if (child.hung) child.signal('SIGCONT')
    }
    if (!hurry() && (await this.#askToStop())) await this.until(allEnded, graceMs, hurry)
    for (const child of children) child.signal(hurry() ? 'SIGKILL' : 'SIGTERM')
    await this.until(allEnded, graceMs, hurry)
    for (const child of children) child.signal('SIGKILL')
    await Promise.all(children.map(async (child) => child.ended))
    for (const watch of this.#watches) watch.close()
  }

  /** False if nobody has heard it. */
  async #askToStop(): Promise<boolean> {
    const primary = this.holderOf('primary')
    if (primary === undefined) return false
    try {
      await this.#sides.get(primary)?.watch.stopPair(readToken(this.#options.tokenFile))
      return true
    } catch (error) {
      if (!this.isLiving(primary)) return true
      this.#options.say(`${primary} was not stopped by request: ${oneLine(error)}`)
      return false
    }
  }

  #changed(): void {
    for (const done of this.#waiting) done()
  }

  #watch(name: SideName, more: Partial<SideEvents> = {}, retryMs?: number): SideWatch {
    const events: SideEvents = {
      changed: () => this.#changed(),
      checkpoint: (row) => this.statistics.checkpoint(row),
      failover: (row) => this.#failover(name, row),
      ...more,
    }
    const watch = new SideWatch(this.#options.ports[name].control, events, retryMs)
    this.#watches.push(watch)
    return watch
  }

  /** A person may bring a dead side back in another terminal: it is the pair's side then, if no child. */
  #watchOutside(name: SideName, child: Child): void {
    this.#sides.get(name)?.watch.close()
    const expects = ({ pair, name: who }: Status) => pair === this.#options.pair && who === name
    const lost = () => {
      this.disturb()
      if (!this.#ending) this.#watchOutside(name, child)
    }
    const watch = this.#watch(name, { expects, lost }, PATIENT_RETRY_MS)
    this.#sides.set(name, { child, watch, isOutside: true })
  }

  #failover(name: SideName, row: FailoverRow): void {
    const { reason, detectedMs, servingMs, generation } = row
    if (this.failovers.some((one) => one.generation === generation)) return
    const from = row.role === 'secondary' ? otherSide(name) : name
    this.failovers.push({ from, to: name, reason, detectedMs, servingMs, generation })
    this.failovers.sort((a, b) => a.generation - b.generation)
    this.#options.say(
      row.role === 'secondary'
        ? `${name} went on in place of ${from}: ${reason}, generation ${generation}`
        : `${name} goes on without its secondary: ${reason}, generation ${generation}`,
    )
  }

  #ended(name: SideName, child: Child, watch: SideWatch): void {
    watch.close()
    this.disturb()
    this.#changed()
    if (this.#ending) return
    if (child.crashed && !this.isStarting)
      this.problems.push(`${name} (pid ${child.pid}) ended by ${child.describeEnd()}`)
    // While the pair starts, what ended it is said by whoever waits for it, once.
    if (!child.wanted && !this.isStarting) {
      this.#options.say(`${name} (pid ${child.pid}) ended: ${child.describeEnd()}`)
      if (child.crashed) this.#options.say(`  its last words (${child.logFile}):\n${child.tail()}`)
    }
    const wasLeft = child.end?.code === 0
    if (this.#options.respawn && !wasLeft) this.#respawn(name)
    else this.#watchOutside(name, child)
  }

  #respawn(name: SideName): void {
    this.launch(name, 'secondary')
    this.#options.say(`${name} comes back as a fresh secondary (pid ${this.side(name)?.child.pid})`)
  }
}
