// One line of what the benchmarks say: a figure of ours, of a reference beside it, their ratio round by round,
// what that ratio is worth (the reference against itself), and the goal with its verdict. Every benchmark
// makes these and nothing else, so that the table and the JSON need to know nothing of what was measured.

import { median, ratios, type Ratios } from './compare.ts'

export interface Goal {
  readonly sign: '<=' | '>='
  readonly limit: number
  /** What is held against the limit: the median of the ratios, or the figure itself. */
  readonly of: 'ratio' | 'ours'
}

export interface Range {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Figure {
  readonly part: string
  readonly name: string
  readonly unit: string
  readonly ours: Range
  readonly reference?: Range & { readonly name: string }
  readonly ratio?: Ratios & { readonly what: string }
  /** The A/A arm: ratios of the reference with itself, run in the same rounds. */
  readonly itself?: Ratios
  readonly goal?: Goal
  readonly met?: boolean
  readonly rounds: number
  /** Why there is no reference. */
  readonly missing?: string
  readonly note?: string
}

/** What a benchmark is told. */
export interface Plan {
  readonly rounds: number
  /** A smoke test: as little as shows that everything runs. */
  readonly quick: boolean
  /** A word about progress, for whoever waits. */
  readonly tell: (text: string) => void
}

export type Benchmark = (plan: Plan) => Promise<Figure[]>

export function rangeOf(values: readonly number[]): Range {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

const reached = ({ sign, limit }: Goal, value: number) =>
  sign === '<=' ? value <= limit : value >= limit

interface Given {
  readonly part: string
  readonly name: string
  readonly unit: string
  readonly goal?: Goal
  readonly note?: string
}

/** A figure that stands for itself. */
export function absolute(given: Given, ours: readonly number[]): Figure {
  const { goal } = given
  const range = rangeOf(ours)
  const met = goal && reached(goal, range.median)
  return { ...given, ours: range, rounds: ours.length, met }
}

export interface Reference {
  readonly name: string
  readonly values: readonly number[]
  /** The same program once more a round. */
  readonly again?: readonly number[]
  /** The reference by ours, for goals that are worded so. */
  readonly inverse?: boolean
}

/** A figure beside that of a reference. Without `reference` the line says why it is missing. */
export function beside(
  given: Given,
  ours: readonly number[],
  reference?: Reference,
  missing = 'no gcc here',
): Figure {
  const range = rangeOf(ours)
  if (reference === undefined) {
    return {
      ...given,
      ours: range,
      rounds: ours.length,
      missing,
    }
  }
  const { name, values, again, inverse = false } = reference
  const ratio = inverse ? ratios(values, ours) : ratios(ours, values)
  const value = given.goal?.of === 'ours' ? range.median : ratio.median
  return {
    ...given,
    ours: range,
    reference: { name, ...rangeOf(values) },
    ratio: { what: inverse ? `${name} / ours` : `ours / ${name}`, ...ratio },
    itself: again && ratios(again, values),
    met: given.goal && reached(given.goal, value),
    rounds: ours.length,
  }
}
