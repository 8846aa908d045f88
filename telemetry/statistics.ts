// What every checkpoint and every failover leaves behind: rows in bounded rings, and histograms of the stages
// since the start. Histograms count microseconds.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { LIMITS } from '../shared/protocol/limits.ts'
import { STAGE_NAMES, type CheckpointRow, type FailoverRow } from '../shared/protocol/rows.ts'

const MICROSECONDS = 1000

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

class Timing {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 3 })

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * MICROSECONDS)))
  }

  /** Milliseconds; zeros while nothing was recorded. */
  get quantiles(): Quantiles {
    const histogram = this.#histogram
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 }
    return {
      p50: histogram.percentile(50) / MICROSECONDS,
      p99: histogram.percentile(99) / MICROSECONDS,
      max: histogram.max / MICROSECONDS,
    }
  }
}

export class Statistics {
  readonly checkpointRows: CheckpointRow[] = []
  readonly failoverRows: FailoverRow[] = []
  readonly #stages = Object.fromEntries(STAGE_NAMES.map((name) => [name, new Timing()]))
  readonly #pause = new Timing()
  readonly #find = new Timing()
  readonly #cycle = new Timing()
  checkpoints = 0
  pages = 0
  bytes = 0
  failovers = 0
  dirtyPages = 0

  checkpoint(row: CheckpointRow): void {
    keep(this.checkpointRows, row, LIMITS.checkpointRows)
    if (row.outcome !== 'committed') return
    this.checkpoints++
    this.pages += row.pages
    this.bytes += row.bytes
    this.dirtyPages = row.pages
    if (row.trigger === 'seed') return
    for (const name of STAGE_NAMES) this.#stages[name].record(row.stages[name])
    this.#pause.record(row.pause)
    this.#find.record(row.find)
    this.#cycle.record(row.cycle)
  }

  failover(row: FailoverRow): void {
    keep(this.failoverRows, row, LIMITS.failoverRows)
    this.failovers++
  }

  get stages(): Record<string, Quantiles> {
    return Object.fromEntries(STAGE_NAMES.map((name) => [name, this.#stages[name].quantiles]))
  }

  get pause(): Quantiles {
    return this.#pause.quantiles
  }

  get find(): Quantiles {
    return this.#find.quantiles
  }

  get cycle(): Quantiles {
    return this.#cycle.quantiles
  }
}

function keep<T>(rows: T[], row: T, most: number): void {
  rows.push(row)
  if (rows.length > most) rows.shift()
}
