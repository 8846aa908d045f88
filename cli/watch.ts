// `colo watch`: a line for each side at each change and each second, until Ctrl-C or until nobody is left. In
// between it says whether the pair is protected, and how a dead side comes back.

import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { isAlive, isRunning } from '../daemon/living-process.ts'
import { readRunFile, runFilePath, type RunFile } from '../daemon/run-files.ts'
import { timeOfDay } from '../daemon/time-of-day.ts'
import { OperatorClient } from '../network/control-client.ts'
import type { Status } from '../shared/protocol/control-messages.ts'
import { CliError } from '../terminal/exit-codes.ts'
import { teach } from '../terminal/help.ts'
import { plainText } from '../terminal/plain-text.ts'
import { whyNotProtected, type SideSeen } from './protection.ts'
import { askSides, chooseSides, isAbsent, type KnownSide } from './sides.ts'
import { returnCommandOf } from './start-command.ts'
import { formatOption, type FormatOptions } from './status.ts'
import { addTargetOptions, connectTo, type TargetOptions } from './targets.ts'
import { paintFor, type Paint } from '../terminal/paint.ts'
import { colourOf } from '../terminal/terminal-colours.ts'
import { renderProtection } from './up/render-view.ts'
import { showBytes, showMs } from '../terminal/units.ts'
import { wrapCommand } from '../terminal/wrap.ts'

const EVERY_MS = 1000
const RETRY_MS = 250
const CONNECT_MS = 1000
const ANSWER_MS = 1000
/** What changes within so short a time is told once. */
const SETTLE_MS = 100

export function addWatch(program: Command): void {
  const command = addTargetOptions(
    program.command('watch').description('a line at each change and each second'),
  )
    .addOption(formatOption('json: one object a line'))
    .action(watch)
  teach(command, {
    when:
      'in a terminal beside the one where you break things: each change of a side is a line at once, and\n' +
      '  NOT PROTECTED is said as long as it is so, with the command that brings a dead side back. A side\n' +
      '  that comes back is in the list again; the watch ends when no side answers any more.',
    examples: [
      ['colo watch', 'both sides of the one pair that lives here'],
      ['colo watch -f json | jq .state', 'JSON lines for a script'],
    ],
  })
}

async function watch(options: TargetOptions & FormatOptions): Promise<void> {
  const sides = chooseSides(options)
  const first = await askSides(sides)
  const isJson = options.format === 'json'
  if (first.every(isAbsent))
    throw new CliError('nobody', first.map(({ reason }) => reason).join('; '))
  const paint = paintFor(process.stdout)
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort())
  }
  const show = isJson
    ? (status: Status) => JSON.stringify(status)
    : (status: Status) => describe(status, paint)
  const watched = sides.map((side) => new WatchedSide(side, options.dir, show))
  // One side of a pair says nothing about the other.
  const isWhole = options.at === undefined && options.name === undefined
  const verdict = isWhole && !isJson ? new Verdict(watched, paint) : undefined
  const telling = verdict?.follow(stopping.signal)
  const isAnyThere = () => watched.some(({ isThere, runs }) => isThere || runs)
  await Promise.all(
    watched.map(async (side) => side.follow(stopping.signal, () => verdict?.changed(), isAnyThere)),
  )
  stopping.abort()
  await telling
}

/** One side through all of its lives. */
class WatchedSide {
  readonly #side: KnownSide
  readonly #dir: string
  readonly #show: (status: Status) => string
  #run: RunFile | undefined
  status: Status | undefined
  /** It answers, or was never asked. */
  isThere = true

  constructor(side: KnownSide, dir: string, show: (status: Status) => string) {
    this.#side = side
    this.#dir = dir
    this.#show = show
    this.#run = side.run
  }

  /** It may answer again. */
  get runs(): boolean {
    return this.#run !== undefined && isRunning(this.#run)
  }

  get seen(): SideSeen {
    const { status } = this
    const name = status?.name ?? this.#side.name
    if (this.isThere && status !== undefined) return { name, status }
    const pid = this.#run?.pid
    const isDead = pid !== undefined && !isAlive(pid)
    return { name, status: undefined, absence: isDead ? `dead (pid ${pid} ended)` : 'no answer' }
  }

  /** The words that bring it back, if it is dead and left word of them. */
  get comeback(): readonly string[] | undefined {
    if (this.isThere || this.#run === undefined || isRunning(this.#run)) return undefined
    return returnCommandOf(this.#run)
  }

  /** Until `stopping`, or until no side answers. */
  async follow(
    stopping: AbortSignal,
    changed: () => void,
    isAnyThere: () => boolean,
  ): Promise<void> {
    for (;;) {
      try {
        await this.#live(stopping, changed)
      } catch {
        // Not there: it may come back.
      }
      this.isThere = false
      changed()
      const again = this.#side.run !== undefined
      if (stopping.aborted || !again || !isAnyThere()) return
      await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => {})
    }
  }

  /** One life. A daemon that came back may have another address. */
  async #live(stopping: AbortSignal, changed: () => void): Promise<void> {
    const client = await this.#connect()
    const link = { closed: false }
    const tell = (status: Status) => {
      this.status = status
      this.isThere = true
      process.stdout.write(`${this.#show(status)}\n`)
      changed()
    }
    try {
      client.onClosed = () => (link.closed = true)
      client.onStatus = tell
      await client.ask('watch', {}, ANSWER_MS)
      while (!link.closed && !stopping.aborted) {
        const answer = await client.ask('status', {}, ANSWER_MS).catch((error: unknown) => {
          // One that is known by its address alone is not found again: its silence is waited out.
          if (this.#side.run !== undefined) throw error
        })
        if (answer?.status !== undefined) tell(answer.status)
        await delay(EVERY_MS, undefined, { signal: stopping }).catch(() => {})
      }
    } finally {
      client.close()
    }
  }

  async #connect(): Promise<OperatorClient> {
    const { run, target, pair, name } = this.#side
    if (run === undefined) return connectTo(target)
    this.#run = readRunFile(runFilePath(this.#dir, pair, name)) ?? this.#run
    return OperatorClient.connect(this.#run?.control ?? run.control, CONNECT_MS)
  }
}

/** Says whether the pair is protected, when that changes. */
class Verdict {
  readonly #sides: readonly WatchedSide[]
  readonly #paint: Paint
  #told = ''
  #wake: () => void = () => {}

  constructor(sides: readonly WatchedSide[], paint: Paint) {
    this.#sides = sides
    this.#paint = paint
  }

  changed(): void {
    this.#wake()
  }

  async follow(stopping: AbortSignal): Promise<void> {
    stopping.addEventListener('abort', () => this.#wake())
    while (!stopping.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
      await delay(SETTLE_MS, undefined, { signal: stopping }).catch(() => {})
      if (this.#sides.some(({ isThere }) => isThere)) this.#tell()
    }
  }

  #tell(): void {
    if (this.#sides.some((side) => side.isThere && side.status === undefined)) return
    const why = whyNotProtected(this.#sides.map(({ seen }) => seen))
    const comebacks = this.#sides.flatMap((side) =>
      side.comeback === undefined ? [] : [[side.seen.name, side.comeback] as const],
    )
    const lines = [
      ...renderProtection({ whyNotProtected: why }, Infinity, this.#paint),
      ...comebacks.flatMap(([name, words]) => [
        `${name} comes back by this command, in another terminal:`,
        ...wrapCommand(words, Infinity),
      ]),
    ]
    const text = lines.join('\n')
    if (text === this.#told) return
    this.#told = text
    process.stdout.write(`${text}\n`)
  }
}

function describe(status: Status, paint: Paint): string {
  const { name, role, state, reason, generation, epoch, pause } = status
  const time = timeOfDay(Date.now())
  const why = state === 'protected' ? '' : ` (${plainText(reason)})`
  return (
    `${time} ${plainText(name)} ${role} ${paint(colourOf(state), state)}${why} gen ${generation} ` +
    `epoch ${epoch}, ${status.checkpoints} checkpoints, ` +
    `pause ${showMs(pause.p50)}/${showMs(pause.p99)} ms, ` +
    `${status.dirtyPages} dirty, held ${showBytes(status.heldBytes)}, ${status.clients} clients`
  )
}
