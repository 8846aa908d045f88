// What the codes of a sequence stand for, and how often each comes where the data does not say (RFC 8878, sections
// 3.1.1.3.2.1.1 and 3.1.1.3.2.2): how many literals are taken, how many bytes are repeated, from how far back.

import { fseTableOf } from './fse-table.ts'

/** A code stands for its base and so many bits more. */
function codesOf(first: number, plain: number, bits: readonly number[]) {
  const extra = Uint8Array.from([...Array<number>(plain).fill(0), ...bits])
  const base = new Int32Array(extra.length)
  let value = first
  for (let code = 0; code < extra.length; code++) {
    base[code] = value
    value += 1 << extra[code]
  }
  return { base, extra }
}

const LITERAL_BITS = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
const MATCH_BITS = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]

export const LITERAL_LENGTHS = codesOf(0, 16, LITERAL_BITS)
export const MATCH_LENGTHS = codesOf(3, 32, MATCH_BITS)

const times = (count: number, value: number) => Array<number>(count).fill(value)

const LITERAL_COUNTS = [
  ...[4, 3, ...times(11, 2), 1, 1, 1, ...times(9, 2), 3, 2],
  ...[...times(5, 1), ...times(4, -1)],
]
const MATCH_COUNTS = [1, 4, 3, ...times(6, 2), ...times(37, 1), ...times(7, -1)]
const OFFSET_COUNTS = [...times(6, 1), 2, 2, 2, ...times(15, 1), ...times(5, -1)]

/** What a sequence is made of, in the order in which a block describes their tables. */
export const SEQUENCE_PARTS = [
  { bitsMax: 9, symbolMax: 35, usual: fseTableOf(LITERAL_COUNTS, 6) },
  { bitsMax: 8, symbolMax: 31, usual: fseTableOf(OFFSET_COUNTS, 5) },
  { bitsMax: 9, symbolMax: 52, usual: fseTableOf(MATCH_COUNTS, 6) },
] as const
