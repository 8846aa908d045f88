// One run of `colo up` from its first process to its verdict.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeModule } from '../../keepers/wasm/dirty-log/description.ts'
import { loadGuestModule } from '../../keepers/wasm/guest-module.ts'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { checkConfig, delaysOf, type DelayOptions } from '../daemon-options.ts'
import { CliError, EXIT_CODES, oneLine } from '../../terminal/exit-codes.ts'
import { fileError } from '../../terminal/file-error.ts'
import { readModule } from '../guest.ts'
import { SHIPPED_GUEST } from '../places.ts'
import { Load } from '../load.ts'
import { coloWords, daemonArguments, returnCommand } from '../start-command.ts'
import { outliveOutput } from '../../terminal/standard-streams.ts'
import { showSeconds } from '../../terminal/units.ts'
import { shellQuote } from '../../terminal/wrap.ts'
import type { UpOptions } from './options.ts'
import { inject } from './injector.ts'
import { LiveView } from './live-view.ts'
import { otherSide, PairRun, SIDE_NAMES, type SideName } from './pair-run.ts'
import { makePlace, removePlace, type Place } from './place.ts'
import { choosePorts, HOST, type SidePorts } from './ports.ts'
import { describeSummary, summarize } from './summary.ts'
import { hints, welcome, type Whereabouts } from './welcome.ts'

const PROTECTED_WITHIN_MS = 60_000
const LOAD_STARTS_WITHIN_MS = 10_000
const END_STATE_WITHIN_MS = 10_000
const STOP_GRACE_MS = 3000
const NO_WRITES = { acknowledged: 0, lost: 0 }

/** What each daemon is started with, and what brings it back. */
function argumentsOf(
  name: SideName,
  place: Place,
  ports: Readonly<Record<SideName, SidePorts>>,
  options: UpOptions & DelayOptions,
): string[] {
  const { guest, memory, dirty, witness, failback, record } = options
  const log = join(place.home, `${name}.log`)
  return daemonArguments({
    ...{ name, pair: place.pair, dir: place.dir, tokenFile: place.tokenFile, log },
    ...{ ...ports[name], peer: ports[otherSide(name)].control },
    ...{ guest, memoryBytes: memory, dirty, witness, failback, record },
    delays: delaysWith(delaysOf(options)),
  })
}

/** What a daemon would refuse, said in its words before there is anything. Raises CliError. */
function checkOptions(options: UpOptions & DelayOptions): void {
  const { guest, memory, dirty, dir, witness, failback, record } = options
  const [control, data, clients, peer] = [1, 2, 3, 4].map((port) => `${HOST}:${port}`)
  checkConfig({
    ...{ name: 'a', pair: 'up', told: 'primary', dir, control, data, clients, peer },
    ...{ guest, memoryBytes: memory, dirty, witness, failback, record },
    delays: delaysOf(options),
  })
  checkGuest(guest, memory)
  try {
    loadGuestModule({ file: guest, memoryBytes: memory, dirty, cache: join(dir, 'modules') })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) {
      throw fileError(`--guest ${guest}`, error)
    }
    throw new CliError('usage', `--guest: ${oneLine(error)}`, { cause: error })
  }
}

/** Judges the module as `colo guest inspect` does. Raises CliError. */
function checkGuest(guest: string, memoryBytes: number): void {
  if (guest === '-')
    throw new CliError('usage', '--guest -: name a file, which two daemons can read')
  let bytes: Uint8Array
  try {
    bytes = readModule(guest)
  } catch (error) {
    throw new CliError('usage', `--guest ${oneLine(error)}`, { cause: error })
  }
  const { protection, reasons } = describeModule(bytes, memoryBytes)
  if (protection !== 'none') return
  const way = `colo guest inspect ${shellQuote(guest)} says more, docs/guests.md what a guest must be`
  throw new CliError('usage', `--guest ${guest} can't be protected: ${reasons.join('; ')} (${way})`)
}

/** Ctrl-C once: end in order. Twice: at once. */
class Interrupts {
  readonly #ending = new AbortController()
  #count = 0
  readonly #hear = () => {
    this.#count++
    this.#ending.abort()
  }

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#hear)
  }

  get ending(): AbortSignal {
    return this.#ending.signal
  }

  get hurry(): boolean {
    return this.#count > 1
  }
}

export async function runUp(options: UpOptions & DelayOptions): Promise<void> {
  checkOptions(options)
  const ports = await choosePorts(options.port)
  const place = makePlace(options.dir)
  const interrupts = new Interrupts()
  const json = options.format === 'json'
  const out = json ? process.stderr : process.stdout
  const logFile = (name: SideName) => join(place.home, `${name}.log`)
  let load: Load | undefined
  const run: PairRun = new PairRun({
    ...{ pair: place.pair, ports, tokenFile: place.tokenFile, logFile },
    daemonArguments: (name) => argumentsOf(name, place, ports, options),
    respawn: options.respawn,
    say: (line) => view.say(line),
  })
  const isShipped = options.guest === SHIPPED_GUEST
  const where: Whereabouts = {
    ...{ run, ports, ...place, witness: options.witness, logFile, isShipped },
    colo: coloWords().join(' '),
  }
  const errorsCount = outliveOutput()
  const view = new LiveView({
    ...{ run, out, ports },
    writes: () => load?.writes,
    hints: () => hints(where),
    comeback: (name) => returnCommand(argumentsOf(name, place, ports, options)),
  })
  let isVain = false
  // Whatever happens here, no daemon is left behind.
  try {
    await launch(run, interrupts, view)
    run.isStarting = false
    view.say(welcome(where, out.isTTY))
    const protectedAt = performance.now()
    if (options.load !== undefined) load = await startLoad(options.load, ports)
    view.start()
    await live(run, options, interrupts, protectedAt, view)
    view.stop()
    const served = load === undefined || interrupts.hurry || (await load.finish())
    await run.settle()
    if (!served && !run.isStateHeld) load?.allGone()
    const summary = summarize(run, load?.writes ?? NO_WRITES)
    judge(run, load, served)
    await run.end(STOP_GRACE_MS, () => interrupts.hurry)
    errorsCount()
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `\n${describeSummary(summary)}\n`)
    for (const problem of run.problems) process.stderr.write(`colo up: ${problem}\n`)
    if (run.problems.length > 0) process.exitCode = EXIT_CODES.broken.code
  } catch (error) {
    const isRefused = error instanceof CliError && error.exit === 'usage'
    isVain = run.isStarting && (isRefused || interrupts.ending.aborted)
    throw error
  } finally {
    view.stop()
    await run.end(STOP_GRACE_MS, () => interrupts.hurry)
    // Of a start that failed otherwise the logs stay: they say more than the error.
    if (isVain) removePlace(place)
  }
}

async function launch(run: PairRun, interrupts: Interrupts, view: LiveView): Promise<void> {
  const from = performance.now()
  run.launch('a', 'primary')
  run.launch('b', 'secondary')
  let told = from
  const patience = () => {
    if (performance.now() - told < 1000) return
    told = performance.now()
    const states = SIDE_NAMES.map((name) => `${name} ${run.status(name)?.state ?? 'starting'}`)
    process.stderr.write(`waiting for the pair to be protected: ${states.join(', ')}\n`)
  }
  const givenUp = () => {
    patience()
    // The side that founds the pair has no guest: nothing will come of it.
    const isHalted = run.status('a')?.state === 'halted'
    return interrupts.ending.aborted || run.living.length < 2 || isHalted
  }
  if (await run.until(() => run.isProtected, PROTECTED_WITHIN_MS, givenUp)) {
    view.say(`the pair is protected, ${showSeconds(performance.now() - from)} after its start`)
    return
  }
  if (interrupts.ending.aborted)
    throw new CliError('broken', 'interrupted before the pair was protected')
  failToLaunch(run)
}

function failToLaunch(run: PairRun): never {
  const children = SIDE_NAMES.flatMap((name) => run.side(name)?.child ?? [])
  // What the user gave is refused by the daemon in one line; more would only hide it.
  const refused = children.find((child) => child.end?.code === EXIT_CODES.usage.code)
  if (refused !== undefined) {
    throw new CliError('usage', refused.complaint.replace(/^colo: /, ''))
  }
  const founder = run.status('a')
  if (founder?.state === 'halted') {
    const why = run.side('a')?.child.firstError ?? founder.reason
    throw new CliError('usage', `the pair can't begin: a is halted: ${why}`)
  }
  const told = new Set<string>()
  for (const child of children) {
    const tail = child.tail()
    if (!told.has(tail)) process.stderr.write(`${child.logFile}:\n${tail}\n`)
    told.add(tail)
  }
  const states = SIDE_NAMES.map((name) => {
    const { state, reason } = run.status(name) ?? { state: 'gone', reason: 'it ended' }
    return `${name} is ${state} (${reason})`
  })
  throw new CliError('broken', `the pair was not protected: ${states.join(', ')}`)
}

async function startLoad(connections: number, ports: Record<SideName, SidePorts>): Promise<Load> {
  const load = new Load(connections, [ports.a.clients, ports.b.clients])
  await load.start(LOAD_STARTS_WITHIN_MS)
  return load
}

/** Until the time is over and all injections are done, or somebody ends it. */
async function live(
  run: PairRun,
  options: UpOptions,
  interrupts: Interrupts,
  protectedAt: number,
  view: LiveView,
): Promise<void> {
  const { kill, hang, hangFor, respawn } = options
  const { ending } = interrupts
  const injecting = inject(
    {
      ...{ run, respawn, ending, hangForMs: hangFor },
      injections: [...kill, ...hang],
      say: (line) => view.say(line),
    },
    protectedAt,
  )
  if (options.for === undefined) {
    await run.until(
      () => run.living.length === 0,
      Infinity,
      () => ending.aborted,
    )
    await injecting
    return
  }
  const left = protectedAt + options.for - performance.now()
  await Promise.all([
    injecting,
    delay(Math.max(0, left), undefined, { signal: ending }).catch(() => {}),
  ])
  const wished = () => run.isAsItShouldBe
  await run.until(wished, END_STATE_WITHIN_MS, () => ending.aborted)
}

function judge(run: PairRun, load: Load | undefined, served: boolean): void {
  const { problems } = run
  if (!run.isAsItShouldBe) {
    const states = SIDE_NAMES.map((name) => {
      const status = run.status(name)
      return `${name} ${status ? `${status.state} (${status.reason})` : 'gone'}`
    })
    const wished = run.living.length === 2 ? 'protected on both' : 'standalone on the survivor'
    problems.push(`the end state is not ${wished}: ${states.join(', ')}`)
  }
  if (load === undefined) return
  const { acknowledged, lost } = load.writes
  if (load.failure) problems.push(`the load was answered ${load.failure}`)
  if (!served) problems.push('nobody served at the end: what was written could not be read back')
  if (acknowledged === 0) problems.push('no write was acknowledged')
  if (lost > 0) problems.push(`${lost} of ${acknowledged} acknowledged writes are lost`)
}
