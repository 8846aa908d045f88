// A table that fits a width: columns are left out by their priority, whole, and the caller says which.

import { formatTable } from './table.ts'
import { plain, type Paint } from './paint.ts'
import { colourOf } from './terminal-colours.ts'
import { cut } from './wrap.ts'

export interface Column {
  readonly title: string
  readonly cells: readonly string[]
  /** The smallest goes first; a column without one always stays. */
  readonly priority?: number
  /** Its cells are states, and painted so. */
  readonly isState?: boolean
}

export interface FittedTable {
  readonly lines: readonly string[]
  /** The titles of the columns for which there was no room. */
  readonly hidden: readonly string[]
}

const GAP = '  '

const widthOf = ({ title, cells }: Column) =>
  Math.max(title.length, ...cells.map((cell) => cell.length))

const totalOf = (columns: readonly Column[]) =>
  columns.reduce((sum, column) => sum + widthOf(column), 0) + GAP.length * (columns.length - 1)

/** A last line that is still too long is cut, with a mark. */
export function fitTable(
  columns: readonly Column[],
  width: number,
  paint: Paint = plain,
): FittedTable {
  let kept = [...columns]
  const hidden: string[] = []
  while (totalOf(kept) > width) {
    const priorities = kept.flatMap(({ priority }) => priority ?? [])
    if (priorities.length === 0) break
    const least = Math.min(...priorities)
    hidden.push(...kept.filter(({ priority }) => priority === least).map(({ title }) => title))
    kept = kept.filter(({ priority }) => priority !== least)
  }
  const count = Math.max(0, ...kept.map(({ cells }) => cells.length))
  const rows = Array.from({ length: count }, (_, row) => kept.map(({ cells }) => cells[row] ?? ''))
  const titles = kept.map(({ title }) => title)
  const lines = formatTable(titles, rows)
    .split('\n')
    .map((line) => cut(line, width))
  return { lines: lines.map((line, at) => paintStates(line, at - 1, kept, paint)), hidden }
}

function paintStates(line: string, row: number, columns: readonly Column[], paint: Paint): string {
  let begin = 0
  for (const column of columns) {
    const cell = column.cells[row]
    if (column.isState && cell !== undefined && line.startsWith(cell, begin)) {
      const end = begin + cell.length
      return `${line.slice(0, begin)}${paint(colourOf(cell), cell)}${line.slice(end)}`
    }
    begin += widthOf(column) + GAP.length
  }
  return line
}
