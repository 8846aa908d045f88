// A record as the RFCs draw octets: 32 bits a row, first octet left. Drawn from the layouts that the
// reader and the writer walk, so that a picture cannot be of another record than the code's.

import type { FieldKind, Layout } from '../body-layout.ts'
import { LIBXC } from '../libxc-records.ts'
import { LIBXL } from '../libxl-records.ts'
import type { RecordSpec } from '../record-spec.ts'

const BITS_A_ROW = 32
/** A bit is two columns wide: its digit and the mark between it and the next. */
const COLUMNS_A_BIT = 2

const bitsOf: Readonly<Record<string, number>> = {
  u8: 8,
  u32: 32,
  u64: 64,
  count: 32,
  zero32: 32,
  zero48: 48,
}

interface Field {
  readonly words: string
  /** Of any length when it is undefined. */
  readonly bits: number | undefined
}

function fieldsOf(layout: Layout): Field[] {
  return Object.entries(layout).flatMap(([name, kind]) => fieldOf(name, kind))
}

function fieldOf(name: string, kind: FieldKind): Field[] {
  if (kind === 'bytes') return [{ words: `${name} ...`, bits: undefined }]
  if (typeof kind === 'string') {
    const words = kind.startsWith('zero') ? `${name} (0)` : name
    return [{ words, bits: bitsOf[kind] }]
  }
  const [element] = kind
  if (element === 'u64') return [{ words: `${name}[0]`, bits: 64 }, more(name)]
  const first = fieldsOf(element).map(({ words, bits }) => ({ words: `${name}[0].${words}`, bits }))
  return [...first, more(name)]
}

function more(name: string): Field {
  return { words: `${name}[1] ...`, bits: undefined }
}

const RULE = `+${'-+'.repeat(BITS_A_ROW)}`
/** Goes on in the next row. */
const OPEN_RULE = `+${' '.repeat(BITS_A_ROW * COLUMNS_A_BIT - 1)}+`

function centred(words: string, width: number): string {
  const shown = words.slice(0, width)
  const left = Math.floor((width - shown.length) / 2)
  return ' '.repeat(left) + shown.padEnd(width - left)
}

function ruler(): string[] {
  const bits = Array.from({ length: BITS_A_ROW }, (_, bit) => bit)
  const tens = bits.map((bit) => (bit % 10 === 0 ? String(bit / 10) : ' ')).join(' ')
  const units = bits.map((bit) => String(bit % 10)).join(' ')
  return [` ${tens}`.trimEnd(), ` ${units}`]
}

/** The lines of the diagram: the record's header, its body, and the padding if it can have any. */
export function octetDiagram(spec: RecordSpec): string[] {
  const type = `type = 0x${spec.type.toString(16)}`
  const { min, max, step } = spec.length
  const fields: Field[] = [
    { words: `${type} (${spec.name})`, bits: 32 },
    { words: min === max ? `body_length = ${min}` : 'body_length', bits: 32 },
    ...fieldsOf(spec.layout),
  ]
  if (min % 8 !== 0 || (min !== max && step % 8 !== 0)) {
    fields.push({ words: 'padding (0) to a multiple of 8 ...', bits: undefined })
  }
  const lines = [...ruler(), RULE]
  let row = ''
  let used = 0
  const place = (words: string, bits: number) => {
    row += `|${centred(words, bits * COLUMNS_A_BIT - 1)}`
    used += bits
    if (used < BITS_A_ROW) return
    lines.push(`${row}|`)
    row = ''
    used = 0
  }
  for (const { words, bits } of fields) {
    if (bits === undefined) {
      lines.push(`/${centred(words, BITS_A_ROW * COLUMNS_A_BIT - 1)}/`, RULE)
      continue
    }
    let left = bits
    let shown = words
    while (left > 0) {
      const part = Math.min(left, BITS_A_ROW - used)
      place(shown, part)
      left -= part
      if (used === 0) lines.push(left > 0 && part === BITS_A_ROW ? OPEN_RULE : RULE)
      shown = ''
    }
  }
  return lines
}

/**
 * The records of that name, in any case: END is one of either layer. A layer in front, as in
 * `libxl END`, says which.
 */
export function recordsNamed(name: string): RecordSpec[] {
  const words = name.toUpperCase().split(/[\s/.]+/)
  const layer = words.length > 1 ? words[0] : undefined
  const rows: RecordSpec[] = [...Object.values(LIBXL), ...Object.values(LIBXC)]
  return rows.filter(
    (row) =>
      row.name === words.at(-1) && (layer === undefined || row.layer.toUpperCase() === layer),
  )
}

/** The names of all records, for whoever mistyped one. */
export function recordNames(): string[] {
  const rows: RecordSpec[] = [...Object.values(LIBXL), ...Object.values(LIBXC)]
  return [...new Set(rows.map((row) => row.name))]
}
