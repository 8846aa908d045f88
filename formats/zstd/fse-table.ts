// Tables of finite state entropy coding (RFC 8878, section 4.1): how often each symbol comes, read from the data,
// and what follows from it for each state: the symbol it stands for, and how many bits lead to the next one.

import { highBit, type PaddedInput } from './padded-input.ts'

const SYMBOLS_MAX = 256

export interface FseTable {
  /** It has 2 to the power of this entries: as many bits make up the first state. */
  readonly bits: number
  /** A state's symbol, its bits << 8, and its base << 16: the next state is the base and those bits. */
  readonly entries: Int32Array
}

/** The table of a symbol that always comes. */
export const constantTable = (symbol: number): FseTable => ({
  bits: 0,
  entries: Int32Array.of(symbol),
})

/** `counts` are out of 2 to the power of `bits`; -1 is less than one, and has one place all the same. */
export function fseTableOf(counts: ArrayLike<number>, bits: number): FseTable {
  const size = 1 << bits
  const entries = new Int32Array(size)
  const next = new Int32Array(counts.length)
  let high = size
  for (let symbol = 0; symbol < counts.length; symbol++) {
    next[symbol] = Math.abs(counts[symbol])
    if (counts[symbol] === -1) entries[--high] = symbol
  }
  const step = (size >> 1) + (size >> 3) + 3
  let place = 0
  for (let symbol = 0; symbol < counts.length; symbol++) {
    for (let i = 0; i < counts[symbol]; i++) {
      entries[place] = symbol
      do place = (place + step) & (size - 1)
      while (place >= high)
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = entries[state]
    const order = next[symbol]++
    const taken = bits - highBit(order)
    entries[state] = symbol | (taken << 8) | (((order << taken) - size) << 16)
  }
  return { bits, entries }
}

/** Reads a table's counts in [at, end). Returns it, and where its description ends. Raises ZstdError. */
export function readFseTable(
  input: PaddedInput,
  [at, end]: readonly [number, number],
  [bitsMax, symbolMax]: readonly [number, number],
): { readonly table: FseTable; readonly next: number } {
  const { view } = input
  let place = at * 8
  const peek = (count: number) =>
    (view.getUint32(place >> 3, true) >>> (place & 7)) & ((1 << count) - 1)
  const bits = peek(4) + 5
  place += 4
  if (bits > bitsMax) input.refuse(at, `a table of ${bits} bits, where ${bitsMax} is the most`)
  const counts = new Int16Array(SYMBOLS_MAX)
  let symbols = 0
  let left = 1 << bits
  while (left > 0) {
    if (symbols > symbolMax || place > end * 8) {
      input.refuse(at, 'a table of more symbols than there are')
    }
    const width = highBit(left + 1) + 1
    const low = (1 << (width - 1)) - 1
    // Those numbers below come with a bit less.
    const short = (1 << width) - 2 - left
    let value = peek(width)
    if ((value & low) < short) {
      value &= low
      place += width - 1
    } else {
      if (value > low) value -= short
      place += width
    }
    const count = value - 1
    counts[symbols++] = count
    left -= Math.abs(count)
    if (count !== 0) continue
    let zeros = 3
    while (zeros === 3 && symbols <= symbolMax) {
      zeros = peek(2)
      place += 2
      symbols += zeros
    }
  }
  const next = (place + 7) >> 3
  if (left < 0 || symbols > symbolMax + 1 || next > end) {
    input.refuse(at, 'the counts of a table do not add up')
  }
  return { table: fseTableOf(counts.subarray(0, symbols), bits), next }
}
