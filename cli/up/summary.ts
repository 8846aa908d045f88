// What a run of `colo up` says at its end: one JSON object, or the same for people. All times are milliseconds.

import type { Quantiles } from '../../telemetry/statistics.ts'
import { STAGE_NAMES } from '../../shared/protocol/rows.ts'
import type { Writes } from '../load.ts'
import { formatTable } from '../../terminal/table.ts'
import { showBytes, showMs } from '../../terminal/units.ts'
import { SIDE_NAMES, type FailoverSeen, type PairRun, type SideName } from './pair-run.ts'

export interface Summary {
  readonly checkpoints: number
  readonly stages: Readonly<Record<string, Quantiles>>
  readonly pause: Quantiles
  readonly pages: number
  readonly bytes: number
  readonly failovers: readonly FailoverSeen[]
  readonly writes: Writes
  readonly generation: number
  /** The state of each side; `gone` if it does not live. */
  readonly states: Readonly<Record<SideName, string>>
}

export function summarize(run: PairRun, writes: Writes): Summary {
  const { stages, pause } = run.statistics
  const stateOf = (name: SideName) =>
    run.isLiving(name) ? (run.status(name)?.state ?? 'connecting') : 'gone'
  return {
    checkpoints: run.total('checkpoints'),
    stages,
    pause,
    pages: run.total('pages'),
    bytes: run.total('bytes'),
    failovers: run.failovers.map((one) => ({ ...one })),
    writes,
    generation: run.generation,
    states: { a: stateOf('a'), b: stateOf('b') },
  }
}

const quantiles = ({ p50, p99, max }: Quantiles) => [p50, p99, max].map(showMs)

export function describeSummary(summary: Summary): string {
  const { stages, pause, failovers, writes } = summary
  const timings = STAGE_NAMES.map((name) => [name, ...quantiles(stages[name] ?? pause)])
  const parts = [
    `${summary.checkpoints} checkpoints, ${summary.pages} pages, ${showBytes(summary.bytes)}; ` +
      `generation ${summary.generation}; ` +
      SIDE_NAMES.map((name) => `${name} ${summary.states[name]}`).join(', '),
    formatTable(['ms', 'p50', 'p99', 'max'], [['pause', ...quantiles(pause)], ...timings]),
  ]
  if (failovers.length > 0) {
    const rows = failovers.map((one) => [
      ...[one.from, one.to, one.reason, showMs(one.detectedMs), showMs(one.servingMs)],
      String(one.generation),
    ])
    const titles = ['from', 'to', 'reason', 'detected ms', 'serving ms', 'generation']
    parts.push(formatTable(titles, rows))
  }
  if (writes.acknowledged > 0) {
    parts.push(`${writes.acknowledged} writes acknowledged, ${writes.lost} lost`)
  }
  return parts.join('\n\n')
}
