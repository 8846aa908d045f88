// The pair while it runs: on a terminal one table, redrawn in its place; elsewhere one line a second.

import type { Quantiles } from '../../daemon/statistics.ts'
import type { Status } from '../../shared/control/messages.ts'
import { STAGE_NAMES } from '../../shared/trace/rows.ts'
import type { Writes } from '../load.ts'
import { formatTable } from '../table.ts'
import { showBytes, showMs, showSeconds } from '../units.ts'
import { SIDE_NAMES, type PairRun } from './pair-run.ts'

const LINE_EVERY_MS = 1000
const TABLE_EVERY_MS = 500
/** A daemon that answers nothing for so long is shown as silent. */
const SILENT_MS = 700
const NO_TIMES: Quantiles = { p50: 0, p99: 0, max: 0 }

export interface LiveViewOptions {
  readonly run: PairRun
  readonly out: NodeJS.WriteStream
  readonly writes: () => Writes | undefined
}

interface Rates {
  readonly checkpoints: number
  readonly bytes: number
}

const times = ({ p50, p99 }: Quantiles) => `${showMs(p50)}/${showMs(p99)}`

export class LiveView {
  readonly #options: LiveViewOptions
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #drawnLines = 0
  #last: { at: number; checkpoints: number; bytes: number }

  constructor(options: LiveViewOptions) {
    this.#options = options
    this.#last = this.#sums()
  }

  start(): void {
    const every = this.#options.out.isTTY ? TABLE_EVERY_MS : LINE_EVERY_MS
    this.#timer = setInterval(() => this.#tick(), every)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#drawnLines = 0
  }

  /** A line for people, above the table if there is one. */
  say(line: string): void {
    const { out } = this.#options
    out.write(`${this.#wipe()}${line}\n`)
    if (this.#timer !== undefined && out.isTTY) this.#draw(this.#table())
  }

  #tick(): void {
    const { out } = this.#options
    if (out.isTTY) out.write(this.#wipe())
    if (out.isTTY) this.#draw(this.#table())
    else out.write(`${this.#line(this.#rates())}\n`)
  }

  #wipe(): string {
    const lines = this.#drawnLines
    this.#drawnLines = 0
    return lines > 0 ? `\u001B[${lines}A\u001B[0J` : ''
  }

  #draw(text: string): void {
    const width = (this.#options.out.columns ?? 80) - 1
    const lines = text.split('\n').map((line) => line.slice(0, width))
    this.#options.out.write(`${lines.join('\n')}\n`)
    this.#drawnLines = lines.length
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
    this.#last = now
    const seconds = Math.max(0.001, (now.at - before.at) / 1000)
    return {
      checkpoints: (now.checkpoints - before.checkpoints) / seconds,
      bytes: (now.bytes - before.bytes) / seconds,
    }
  }

  get #age(): string {
    return showSeconds(performance.now() - this.#startedAt)
  }

  #line(rates: Rates): string {
    const { run, writes } = this.#options
    const owner = run.holderOf('primary')
    const primary = owner && run.status(owner)
    const sides = SIDE_NAMES.map((name) => {
      const status = run.status(name)
      if (status === undefined) return `${name} ${run.isLiving(name) ? 'starting' : 'gone'}`
      const silence = run.silenceOf(name)
      if (silence > SILENT_MS) return `${name} does not answer (${showSeconds(silence)})`
      const why = status.state === 'protected' ? '' : ` (${status.reason})`
      return `${name} ${status.role} ${status.state}${why}`
    })
    const parts = [`${this.#age.padStart(7)}  ${sides.join(', ')}`]
    if (primary) parts.push(...this.#figures(primary, rates))
    const written = writes()
    if (written) parts.push(`${written.acknowledged} writes, ${written.lost} lost`)
    return parts.join(' | ')
  }

  #figures(status: Status, rates: Rates): string[] {
    const stages = STAGE_NAMES.map((name) => `${name} ${times(status.stages[name] ?? NO_TIMES)}`)
    return [
      `gen ${status.generation} epoch ${status.epoch}`,
      `${rates.checkpoints.toFixed(1)} ckpt/s`,
      `ms p50/p99: pause ${times(status.pause)} ${stages.join(' ')}`,
      `${status.dirtyPages} dirty, ${showBytes(rates.bytes)}/s, held ${showBytes(status.heldBytes)}`,
    ]
  }

  #table(): string {
    const { run, writes } = this.#options
    const rates = this.#rates()
    const owner = run.holderOf('primary')
    const sides = SIDE_NAMES.map((name) => {
      const status = run.status(name)
      if (status === undefined) return [name, '-', run.isLiving(name) ? 'starting' : 'gone']
      const silence = run.silenceOf(name)
      if (silence > SILENT_MS) return [name, '-', `no answer for ${showSeconds(silence)}`]
      const { role, state, generation, epoch, heldBytes, clients, reason } = status
      const counts = [generation, epoch, clients].map(String)
      return [name, role, state, ...counts, showBytes(heldBytes), reason]
    })
    const titles = ['side', 'role', 'state', 'gen', 'epoch', 'clients', 'held', 'reason']
    const parts = ['', formatTable(titles, sides)]
    const status = owner && run.status(owner)
    if (status) {
      const stages = STAGE_NAMES.map((name) => times(status.stages[name] ?? NO_TIMES))
      const stageTitles = ['ms p50/p99', 'pause', ...STAGE_NAMES]
      parts.push('', formatTable(stageTitles, [['', times(status.pause), ...stages]]))
      const rate = `${rates.checkpoints.toFixed(1)} checkpoints/s, ${showBytes(rates.bytes)}/s`
      parts.push('', `${this.#age}: ${rate}, ${status.dirtyPages} dirty pages`)
    }
    const written = writes()
    if (written) parts.push(`${written.acknowledged} writes acknowledged, ${written.lost} lost`)
    return parts.join('\n')
  }
}
