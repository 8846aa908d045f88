// The figures as a table for people and as one JSON object for programs.

import type { Figure, Range } from './figure.ts'

function digits(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

const ranged = ({ median, min, max }: Range) => `${digits(median)} [${digits(min)}..${digits(max)}]`

const verdict = ({ met }: Figure) => (met === undefined ? '' : met ? 'met' : 'MISSED')

function goalOf({ goal, unit }: Figure): string {
  if (goal === undefined) return ''
  return `${goal.sign} ${goal.limit}${goal.of === 'ours' ? ` ${unit}` : ''}`
}

const columns: readonly (readonly [title: string, cell: (figure: Figure) => string])[] = [
  ['', (figure) => figure.part],
  ['what', (figure) => figure.name],
  ['ours', (figure) => `${ranged(figure.ours)} ${figure.unit}`],
  [
    'reference',
    ({ reference, missing }) =>
      reference ? `${digits(reference.median)} ${reference.name}` : (missing ?? ''),
  ],
  ['ratio', ({ ratio }) => (ratio ? ranged(ratio) : '')],
  ['A/A', ({ itself }) => (itself ? ranged(itself) : '')],
  ['goal', goalOf],
  ['', verdict],
]

/** Medians, with the smallest and the largest round in brackets. Ratios are paired round by round. */
export function tableOf(figures: readonly Figure[]): string {
  const lines = [
    columns.map(([title]) => title),
    ...figures.map((f) => columns.map(([, cell]) => cell(f))),
  ]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)))
  const text = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  )
  const notes = figures.filter(({ note }) => note).map(({ name, note }) => `${name}: ${note}`)
  const inverse = figures.filter(({ ratio }) => ratio && !ratio.what.startsWith('ours'))
  if (inverse.length > 0) {
    const names = [...new Set(inverse.map(({ ratio }) => ratio?.what))].join(', ')
    notes.push(`ratios are ours / reference, but ${names} where that is the reference`)
  }
  return [...text, '', ...notes].join('\n')
}

export interface Machine {
  readonly node: string
  readonly cpus: number
  readonly model: string
  /** The load of the last minute before the first round: other work on the machine spoils figures. */
  readonly load: number
}

const sixDigits = (_key: string, value: unknown) =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value

export function jsonOf(machine: Machine, figures: readonly Figure[]): string {
  const missed = figures.filter(({ met }) => met === false).map(({ name }) => name)
  return JSON.stringify({ machine, figures, missed }, sixDigits, 2)
}
