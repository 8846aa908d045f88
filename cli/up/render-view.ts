// What the live view shows, as lines: a pure function of what the sides say, the size of the terminal and
// whether it has colours. What matters most stands first, because a low terminal shows only the beginning.

import type { Quantiles } from '../../telemetry/statistics.ts'
import type { Status } from '../../shared/protocol/control-messages.ts'
import { STAGE_NAMES } from '../../shared/protocol/rows.ts'
import { fitTable, type Column } from '../../terminal/fit-table.ts'
import type { Writes } from '../load.ts'
import { plainText } from '../../terminal/plain-text.ts'
import type { Paint } from '../../terminal/paint.ts'
import type { Absence } from '../../terminal/terminal-colours.ts'
import { showBytes, showMs, showSeconds } from '../../terminal/units.ts'
import { cut, wrapCommand, wrapWords } from '../../terminal/wrap.ts'

export interface ViewSide {
  readonly name: string
  /** Of the process that lives now. */
  readonly pid: number | undefined
  readonly clients: string
  readonly control: string
  /** What it said last, if it answers. */
  readonly status: Status | undefined
  /** Why it does not, in place of a state. */
  readonly absence?: Absence
  readonly absenceReason?: string
}

export interface Rates {
  readonly checkpoints: number
  readonly bytes: number
}

/** A command to type, and what it does. */
export type Hint = readonly [command: string, effect: string]

export interface View {
  readonly sides: readonly ViewSide[]
  /** Undefined: the pair is protected. */
  readonly whyNotProtected: string | undefined
  /** The words of the command that brings a dead side back, by the name of that side. */
  readonly comebacks: readonly (readonly [name: string, words: readonly string[]])[]
  readonly primary: Status | undefined
  readonly rates: Rates
  readonly ageMs: number
  readonly writes: Writes | undefined
  readonly hints: readonly Hint[]
}

export interface Terminal {
  readonly columns: number
  readonly rows: number
}

const NO_TIMES: Quantiles = { p50: 0, p99: 0, max: 0 }
const NONE = '-'

export const showTimes = ({ p50, p99 }: Quantiles) => `${showMs(p50)}/${showMs(p99)}`

export function renderView(view: View, { columns, rows }: Terminal, paint: Paint): string[] {
  // The last column stays free: some terminals wrap there.
  const width = Math.max(20, columns - 1)
  const parts = [
    renderProtection(view, width, paint),
    renderSides(view.sides, width, paint),
    renderComebacks(view, width),
    renderFigures(view, width),
    renderHints(view.hints, width),
  ]
  const lines = parts.filter((part) => part.length > 0).flatMap((part) => ['', ...part])
  const room = Math.max(4, rows - 1)
  let used = 0
  const end = lines.findIndex((line) => (used += rowsOf(line, columns)) > room)
  if (end < 0) return lines
  used = 0
  // One row is kept for the line that says so.
  const kept = lines.findIndex((line) => (used += rowsOf(line, columns)) >= room)
  const left = lines.length - kept
  return [...lines.slice(0, kept), cut(`… ${left} more lines: a higher terminal has them`, width)]
}

// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001B\[[\d;]*m/g

/** A word that is longer than the terminal is wide takes several rows. */
export function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(line.replaceAll(COLOURS, '').length / columns))
}

const NOT_PROTECTED = 'NOT PROTECTED'
const PROTECTED = 'protected: either side may die'

/** The words of a line, and capitals, say it; colour only adds to them. */
export function renderProtection(
  { whyNotProtected: why }: Pick<View, 'whyNotProtected'>,
  width: number,
  paint: Paint,
): string[] {
  if (why === undefined) {
    return wrapWords(PROTECTED, width).map((line) => paint('green', line, true))
  }
  const [first = '', ...rest] = wrapWords(`${NOT_PROTECTED}: ${plainText(why)}`, width, '  ')
  return [paint('red', NOT_PROTECTED, true) + first.slice(NOT_PROTECTED.length), ...rest]
}

function renderSides(sides: readonly ViewSide[], width: number, paint: Paint): string[] {
  const of = (read: (status: Status, side: ViewSide) => string) =>
    sides.map((side) => (side.status === undefined ? NONE : read(side.status, side)))
  const all = (read: (side: ViewSide) => string) => sides.map(read)
  const columns: Column[] = [
    { title: 'side', cells: all(({ name }) => name) },
    { title: 'role', cells: of(({ role }) => role), priority: 9 },
    {
      title: 'state',
      cells: all(({ status, absence }) => status?.state ?? absence ?? NONE),
      isState: true,
    },
    { title: 'pid', cells: all(({ pid }) => String(pid ?? NONE)), priority: 8 },
    { title: 'clients at', cells: all(({ clients }) => clients), priority: 7 },
    { title: 'gen', cells: of(({ generation }) => String(generation)), priority: 6 },
    { title: 'epoch', cells: of(({ epoch }) => String(epoch)), priority: 2 },
    { title: 'clients', cells: of(({ clients }) => String(clients)), priority: 4 },
    { title: 'held', cells: of(({ heldBytes }) => showBytes(heldBytes)), priority: 5 },
    { title: 'control at', cells: all(({ control }) => control), priority: 1 },
    {
      title: 'reason',
      cells: all(({ status, absenceReason }) => status?.reason ?? absenceReason ?? ''),
      priority: 3,
    },
  ]
  const { lines, hidden } = fitTable(columns, width, paint)
  if (hidden.length === 0) return [...lines]
  const note = `(no room for: ${hidden.join(', ')}; colo status has them)`
  return [...lines, ...wrapWords(note, width, ' ')]
}

function renderComebacks({ comebacks }: View, width: number): string[] {
  return comebacks.flatMap(([name, words], index) => [
    ...(index > 0 ? [''] : []),
    ...wrapWords(`${name} comes back by this command, in another terminal:`, width),
    ...wrapCommand(words, width),
  ])
}

function renderFigures({ primary, rates, ageMs, writes }: View, width: number): string[] {
  const lines: string[] = []
  if (primary !== undefined) {
    const times = [
      ['pause', showTimes(primary.pause)] as const,
      ...STAGE_NAMES.map((name) => [name, showTimes(primary.stages[name] ?? NO_TIMES)] as const),
    ]
    lines.push(...renderTimes(times, width), '')
    const rate = `${rates.checkpoints.toFixed(1)} checkpoints/s, ${showBytes(rates.bytes)}/s`
    lines.push(
      ...wrapWords(`${showSeconds(ageMs)}: ${rate}, ${primary.dirtyPages} dirty pages`, width),
    )
  }
  if (writes) {
    lines.push(
      ...wrapWords(`${writes.acknowledged} writes acknowledged, ${writes.lost} lost`, width),
    )
  }
  return lines
}

/** One table if it fits; else the same pairs one behind the other. */
function renderTimes(times: readonly (readonly [string, string])[], width: number): string[] {
  const title = { title: 'ms p50/p99', cells: [''] }
  const columns = [title, ...times.map(([name, time]) => ({ title: name, cells: [time] }))]
  const { lines } = fitTable(columns, Infinity)
  if (lines.every((line) => line.length <= width)) return [...lines]
  // A name and its time stay together.
  const pairs = times.map(([name, time]) => `${name}\u00A0${time}`).join(', ')
  return wrapWords(`ms p50/p99: ${pairs}`, width, '  ').map((line) =>
    line.replaceAll('\u00A0', ' '),
  )
}

function renderHints(hints: readonly Hint[], width: number): string[] {
  if (hints.length === 0) return []
  const longest = Math.max(...hints.map(([command]) => command.length))
  const lines = hints.flatMap(([command, effect]) => {
    const line = `  ${command.padEnd(longest)}  ${effect}`.trimEnd()
    if (line.length <= width) return [line]
    const below = effect === '' ? [] : wrapWords(effect, width - 4)
    return [`  ${command}`, ...below.map((one) => `    ${one}`)]
  })
  return ['try, in another terminal:', ...lines]
}
