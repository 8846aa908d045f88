// A line of the log as people read it: `03:21:07.512 warn  a: text {few fields}`. It is made of the JSON line, so
// that both forms say the same. What a name or a peer's words could do to a terminal is shown as what it is.

import { pino } from 'pino'
import type { Colour, Paint } from '../terminal/paint.ts'
import { plainLine } from '../terminal/plain-text.ts'
import { timeOfDay } from './time-of-day.ts'

/** Fields that every line has: a reader of one daemon's log knows them. */
const EVERYWHERE = new Set(['level', 'time', 'pid', 'pair', 'name', 'msg'])
const LEVEL_WIDTH = 5
const FIELD_CHARACTERS_MAX = 120
/** By pino's number of a level; the others have no colour. */
const COLOURS: Readonly<Record<number, Colour>> = { 40: 'yellow', 50: 'red', 60: 'red' }

interface LogRow {
  readonly level: number
  readonly time: number
  readonly name: string
  readonly msg?: string
  readonly [field: string]: unknown
}

function fieldText([name, value]: readonly [string, unknown]): string {
  const text =
    typeof value === 'string' && /^[^\s\p{Cc}{},="]+$/u.test(value) ? value : JSON.stringify(value)
  const isLong = text.length > FIELD_CHARACTERS_MAX
  return `${name}=${isLong ? `${text.slice(0, FIELD_CHARACTERS_MAX - 1)}…` : text}`
}

/** `line` is what pino writes, with its line feed. */
export function logText(line: string, paint: Paint): string {
  const row = JSON.parse(line) as LogRow
  const { level, time, name, msg = '' } = row
  const label = (pino.levels.labels[level] ?? String(level)).padEnd(LEVEL_WIDTH)
  const fields = Object.entries(row).filter(([field]) => !EVERYWHERE.has(field))
  const rest = fields.length === 0 ? '' : ` {${fields.map(fieldText).join(', ')}}`
  const painted = paint(COLOURS[level], label)
  return `${timeOfDay(time)} ${painted} ${plainLine(`${name}: ${msg}${rest}`)}\n`
}
