// The pair while it runs: on a terminal one picture, redrawn in its place; elsewhere one line a second. What
// the picture shows is in render-view.ts.

import type { Status } from '../../shared/protocol/control-messages.ts'
import { STAGE_NAMES } from '../../shared/protocol/rows.ts'
import type { Writes } from '../load.ts'
import { plainText } from '../../terminal/plain-text.ts'
import { paintFor, type Paint } from '../../terminal/paint.ts'
import type { Absence } from '../../terminal/terminal-colours.ts'
import { showBytes, showSeconds } from '../../terminal/units.ts'
import { wrapCommand, wrapWords } from '../../terminal/wrap.ts'
import { SIDE_NAMES, type PairRun, type SideName } from './pair-run.ts'
import type { SidePorts } from './ports.ts'
import {
  renderProtection,
  renderView,
  rowsOf,
  showTimes,
  type Hint,
  type Rates,
  type View,
  type ViewSide,
} from './render-view.ts'

const LINE_EVERY_MS = 1000
const PICTURE_EVERY_MS = 500
/** So many lines for people are said again when the terminal was cleared. */
const LINES_KEPT = 12
const CLEAR_SCREEN = '\u001B[H\u001B[2J'

export interface LiveViewOptions {
  readonly run: PairRun
  readonly out: NodeJS.WriteStream
  readonly ports: Readonly<Record<SideName, SidePorts>>
  readonly writes: () => Writes | undefined
  readonly hints: () => readonly Hint[]
  /** The words that bring this side back; undefined if this run does so itself. */
  readonly comeback: (name: SideName) => readonly string[] | undefined
}

export class LiveView {
  readonly #options: LiveViewOptions
  readonly #paint: Paint
  readonly #startedAt = performance.now()
  readonly #said: string[] = []
  readonly #resized = () => this.#redrawAll()
  #timer: NodeJS.Timeout | undefined
  #drawnRows = 0
  #toldComebacks = ''
  #last: { at: number; checkpoints: number; bytes: number }

  constructor(options: LiveViewOptions) {
    this.#options = options
    this.#paint = paintFor(options.out)
    this.#last = this.#sums()
  }

  start(): void {
    const { out } = this.#options
    const every = out.isTTY ? PICTURE_EVERY_MS : LINE_EVERY_MS
    this.#timer = setInterval(() => this.#tick(), every)
    if (!out.isTTY) return
    out.on('resize', this.#resized)
    this.#tick()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#drawnRows = 0
    this.#options.out.off('resize', this.#resized)
  }

  /** A line for people, above the picture if there is one. */
  say(line: string): void {
    const { out } = this.#options
    if (!out.isTTY) return void out.write(`${line}\n`)
    this.#said.push(...line.split('\n'))
    this.#said.splice(0, this.#said.length - LINES_KEPT)
    const text = line.split('\n').flatMap((one) => this.#wrapped(one))
    out.write(`${this.#wipe()}${text.join('\n')}\n`)
    if (this.#timer !== undefined) this.#draw()
    return undefined
  }

  #wrapped(line: string): string[] {
    const columns = this.#options.out.columns || 80
    return line.length < columns ? [line] : wrapWords(line, columns - 1, '  ')
  }

  #tick(): void {
    const { out } = this.#options
    if (out.isTTY) {
      out.write(this.#wipe())
      this.#draw()
    } else out.write(`${this.#lines().join('\n')}\n`)
  }

  #wipe(): string {
    const rows = this.#drawnRows
    this.#drawnRows = 0
    return rows > 0 ? `\u001B[${rows}A\u001B[0J` : ''
  }

  #draw(): void {
    const { out } = this.#options
    const terminal = { columns: out.columns || 80, rows: out.rows || 24 }
    const lines = renderView(this.#view(), terminal, this.#paint)
    out.write(`${lines.join('\n')}\n`)
    this.#drawnRows = lines.reduce((sum, line) => sum + rowsOf(line, terminal.columns), 0)
  }

  /** Nobody knows how a terminal of another width has broken the rows: all of them go. */
  #redrawAll(): void {
    const { out } = this.#options
    this.#drawnRows = 0
    const said = this.#said.flatMap((line) => this.#wrapped(line))
    out.write(`${CLEAR_SCREEN}${said.map((line) => `${line}\n`).join('')}`)
    this.#draw()
  }

  #view(): View {
    const { run, writes, hints } = this.#options
    const owner = run.holderOf('primary')
    return {
      sides: SIDE_NAMES.map((name) => this.#side(name)),
      whyNotProtected: run.whyNotProtected,
      comebacks: this.#comebacks(),
      primary: owner && run.status(owner),
      rates: this.#rates(),
      ageMs: performance.now() - this.#startedAt,
      writes: writes(),
      hints: hints(),
    }
  }

  #side(name: SideName): ViewSide {
    const { run, ports } = this.#options
    const { clients, control } = ports[name]
    const { status, absence: absenceReason } = run.seen(name)
    const pid = run.isLiving(name) ? run.pidOf(name) : undefined
    let absence: Absence = 'no answer'
    if (!run.isLiving(name)) absence = 'dead'
    else if (run.status(name) === undefined) absence = 'starting'
    return { name, pid, clients, control, status, absence, absenceReason }
  }

  /** Where nobody lives there is nothing to come back to. */
  #comebacks(): View['comebacks'] {
    const { run, comeback } = this.#options
    if (run.living.length === 0) return []
    return SIDE_NAMES.filter((name) => !run.isLiving(name)).flatMap((name) => {
      const words = comeback(name)
      return words === undefined ? [] : [[name, words] as const]
    })
  }

  #sums(): { at: number; checkpoints: number; bytes: number } {
    const { run } = this.#options
    return {
      at: performance.now(),
      checkpoints: run.total('checkpoints'),
      bytes: run.total('bytes'),
    }
  }

  #rates(): Rates {
    const [before, now] = [this.#last, this.#sums()]
    // Lines for people redraw the picture at once: a rate over so short a time means nothing.
    this.#last = now
    const seconds = Math.max(0.001, (now.at - before.at) / 1000)
    return {
      checkpoints: (now.checkpoints - before.checkpoints) / seconds,
      bytes: (now.bytes - before.bytes) / seconds,
    }
  }

  /** The line of this second; in front of it, once, what brings a dead side back. */
  #lines(): string[] {
    const comebacks = this.#comebacks()
    const told = JSON.stringify(comebacks)
    const line = this.#line(this.#rates())
    if (told === this.#toldComebacks) return [line]
    this.#toldComebacks = told
    const commands = comebacks.flatMap(([name, words]) => [
      `${name} comes back by this command, in another terminal:`,
      ...wrapCommand(words, Infinity),
    ])
    return [...commands, line]
  }

  #line(rates: Rates): string {
    const { run, writes } = this.#options
    const owner = run.holderOf('primary')
    const primary = owner && run.status(owner)
    const why = run.whyNotProtected
    const states =
      why === undefined
        ? SIDE_NAMES.map((name) => `${name} ${run.status(name)?.role} protected`).join(', ')
        : renderProtection({ whyNotProtected: why }, Infinity, this.#paint)[0]
    const age = showSeconds(performance.now() - this.#startedAt)
    const parts = [`${age.padStart(7)}  ${states}`]
    if (primary) parts.push(...this.#figures(primary, rates))
    const written = writes()
    if (written) parts.push(`${written.acknowledged} writes, ${written.lost} lost`)
    return plainText(parts.join(' | '))
  }

  #figures(status: Status, rates: Rates): string[] {
    const stages = STAGE_NAMES.map((name) => {
      const times = status.stages[name]
      return times === undefined ? name : `${name} ${showTimes(times)}`
    })
    return [
      `gen ${status.generation} epoch ${status.epoch}`,
      `${rates.checkpoints.toFixed(1)} ckpt/s`,
      `ms p50/p99: pause ${showTimes(status.pause)} ${stages.join(' ')}`,
      `${status.dirtyPages} dirty, ${showBytes(rates.bytes)}/s, held ${showBytes(status.heldBytes)}`,
    ]
  }
}
