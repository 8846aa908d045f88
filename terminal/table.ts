// Plain tables: a title row, columns as wide as what is in them, numbers to the right.

import { plainText } from './plain-text.ts'

const isNumber = (text: string) => /^-?[\d.,]+$/.test(text)

/** A row is one line, whatever a name has in it, and steers no terminal. */
const cellOf = (text = '') => plainText(text).replaceAll('\n', '\\n')

export function formatTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => cellOf(row[i]).length)),
  )
  const right = titles.map(
    (_, i) => rows.length > 0 && rows.every((row) => isNumber(row[i] ?? '') || row[i] === '-'),
  )
  const line = (cells: readonly string[]) =>
    widths
      .map((width, i) => {
        const cell = cellOf(cells[i])
        return right[i] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [line(titles), ...rows.map(line)].join('\n')
}
