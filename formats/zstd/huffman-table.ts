// Literals packed by Huffman codes (RFC 8878, section 4.2): the table from its weights, which are packed themselves,
// and the streams of codes, which are read from their ends.

import { readFseTable } from './fse-table.ts'
import { highBit, type PaddedInput } from './padded-input.ts'

const CODE_BITS_MAX = 11
const WEIGHTS_MAX = 255
const WEIGHT_TABLE_BITS_MAX = 6
const WEIGHTS_DIRECT = 128

export interface HuffmanTable {
  /** Of the longest code. */
  readonly bits: number
  /** For each value of so many bits: the symbol whose code it begins with, and that code's length << 8. */
  readonly entries: Uint16Array
}

/** Reads a table in [at, end). Returns it, and where it ends. Raises ZstdError. */
export function readHuffmanTable(
  input: PaddedInput,
  at: number,
  end: number,
): { readonly table: HuffmanTable; readonly next: number } {
  const weights = new Uint8Array(WEIGHTS_MAX + 1)
  const head = input.bytes[at]
  const start = at + 1
  const isDirect = head >= WEIGHTS_DIRECT
  const count = isDirect ? head - (WEIGHTS_DIRECT - 1) : 0
  const next = start + (isDirect ? (count + 1) >> 1 : head)
  if (start >= end || next > end) input.refuse(at, 'a Huffman table that goes beyond its block')
  if (!isDirect) {
    const there = unpackWeights(input, [start, next], weights)
    return { table: tableOf(input, at, weights, there), next }
  }
  for (let i = 0; i < count; i++) {
    const byte = input.bytes[start + (i >> 1)]
    weights[i] = (i & 1) === 0 ? byte >> 4 : byte & 15
  }
  return { table: tableOf(input, at, weights, count), next }
}

/** Two states take turns until the bits are used up. Returns how many weights there are. */
function unpackWeights(
  input: PaddedInput,
  [at, end]: readonly [number, number],
  weights: Uint8Array,
): number {
  const { view } = input
  const { table, next } = readFseTable(input, [at, end], [WEIGHT_TABLE_BITS_MAX, CODE_BITS_MAX + 1])
  const { entries, bits } = table
  const first = next * 8
  let place = input.markOf(next, end)
  const take = (count: number) => {
    place -= count
    return (view.getUint16(place >> 3, true) >>> (place & 7)) & ((1 << count) - 1)
  }
  let [state, other] = [take(bits), take(bits)]
  if (place < first) input.refuse(at, 'packed weights that are broken off')
  for (let count = 0; count < WEIGHTS_MAX - 1;) {
    const entry = entries[state]
    weights[count++] = entry & 0xff
    const taken = (entry >> 8) & 0xff
    if (place - taken < first) {
      weights[count++] = entries[other] & 0xff
      return count
    }
    state = other
    other = (entry >> 16) + take(taken)
  }
  return input.refuse(at, `more than ${WEIGHTS_MAX} weights`)
}

/** The last symbol's weight is not told: it is what the others leave. */
function tableOf(input: PaddedInput, at: number, weights: Uint8Array, count: number): HuffmanTable {
  const starts = new Int32Array(CODE_BITS_MAX + 3)
  let sum = 0
  for (let i = 0; i < count; i++) {
    if (weights[i] > CODE_BITS_MAX + 1) input.refuse(at, `a weight of ${weights[i]}`)
    if (weights[i] > 0) sum += 1 << (weights[i] - 1)
  }
  const bits = highBit(sum) + 1
  const left = (1 << bits) - sum
  if (sum === 0 || bits > CODE_BITS_MAX || left !== 1 << highBit(left)) {
    input.refuse(at, 'weights that make up no Huffman code')
  }
  weights[count] = highBit(left) + 1
  for (let i = 0; i <= count; i++) starts[weights[i] + 1] += 1
  if (starts[2] < 2) input.refuse(at, 'weights that make up no Huffman code')
  // Places are given from the lightest symbols, whose codes are the longest, to the heaviest.
  starts[1] = 0
  for (let weight = 1; weight <= bits; weight++) {
    starts[weight + 1] = starts[weight] + starts[weight + 1] * (1 << (weight - 1))
  }
  const entries = new Uint16Array(1 << bits)
  for (let symbol = 0; symbol <= count; symbol++) {
    const weight = weights[symbol]
    if (weight === 0) continue
    const from = starts[weight]
    starts[weight] += 1 << (weight - 1)
    entries.fill(symbol | ((bits + 1 - weight) << 8), from, starts[weight])
  }
  return { bits, entries }
}

/** Reads codes in [at, end) until [to, toEnd) of `into` is full, which must use them up. Raises ZstdError. */
export function readHuffmanStream(
  input: PaddedInput,
  { bits, entries }: HuffmanTable,
  [at, end]: readonly [number, number],
  into: Uint8Array,
  [to, toEnd]: readonly [number, number],
): void {
  const { view } = input
  const mask = (1 << bits) - 1
  const first = at * 8
  const shift = 25 - bits
  let place = input.markOf(at, end)
  let i = to
  // Of four bytes 25 bits are good wherever they begin: two codes.
  for (; i + 1 < toEnd && place >= first; i += 2) {
    const start = place - 25
    const word = view.getUint32(start >> 3, true) >>> (start & 7)
    const one = entries[(word >>> shift) & mask]
    const length = one >> 8
    const two = entries[(word >>> (shift - length)) & mask]
    into[i] = one
    into[i + 1] = two
    place -= length + (two >> 8)
  }
  for (; i < toEnd && place >= first; i++) {
    const start = place - 25
    const word = view.getUint32(start >> 3, true) >>> (start & 7)
    const one = entries[(word >>> shift) & mask]
    into[i] = one
    place -= one >> 8
  }
  if (place !== first || i < toEnd) {
    input.refuse(at, 'a stream of Huffman codes that is not as long as it should be')
  }
}
