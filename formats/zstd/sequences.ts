// The second part of a packed block (RFC 8878, section 3.1.1.3.2): so many literals, then so many bytes again from
// so far back, over and over. This loop is what decoding costs; it makes no object for a sequence.

import { constantTable, readFseTable, type FseTable } from './fse-table.ts'
import type { History } from './history.ts'
import type { Literals } from './literals.ts'
import type { PaddedInput } from './padded-input.ts'
import { LITERAL_LENGTHS, MATCH_LENGTHS, SEQUENCE_PARTS } from './sequence-codes.ts'

const USUAL = 0
const CONSTANT = 1
const DESCRIBED = 2
const LONG_COUNT = 0x7f00

/** Offsets of more bits reach farther back than any window that is read here. */
const OFFSET_BITS_MAX = 25

export class Sequences {
  readonly #tables: (FseTable | undefined)[] = [undefined, undefined, undefined]
  /** The last three offsets, the last one first. */
  readonly #offsets = new Int32Array(3)

  /** Of another frame. */
  forget(): void {
    this.#tables.fill(undefined)
    this.#offsets.set([1, 4, 8])
  }

  /** Reads the sequences of a block, which end it, and writes what they give. Raises ZstdError. */
  read(
    input: PaddedInput,
    [at, end]: readonly [number, number],
    literals: Literals,
    history: History,
  ): void {
    const { bytes } = input
    if (at >= end) input.refuse(at, 'a block without its sequences')
    let next = at + 1
    let count = bytes[at]
    if (count === 255) {
      count = input.view.getUint16(next, true) + LONG_COUNT
      next += 2
    } else if (count > 127) count = ((count - 128) << 8) + bytes[next++]
    if (count > 0) {
      next = this.#readTables(input, next, end)
      this.#play(input, [next, end], count, literals, history)
    } else if (next !== end) input.refuse(next, 'bytes behind a block without sequences')
    if (!history.append(literals.bytes, literals.start, literals.end)) {
      input.refuse(at, history.fault)
    }
  }

  #readTables(input: PaddedInput, at: number, end: number): number {
    const modes = input.bytes[at]
    if ((modes & 3) !== 0) input.refuse(at, 'a mode of tables that is reserved')
    let next = at + 1
    for (const [index, { bitsMax, symbolMax, usual }] of SEQUENCE_PARTS.entries()) {
      const mode = (modes >> (6 - 2 * index)) & 3
      if (mode === USUAL) this.#tables[index] = usual
      else if (mode === CONSTANT) {
        const symbol = input.bytes[next++]
        if (symbol > symbolMax) input.refuse(next - 1, `the code ${symbol}, which there is not`)
        this.#tables[index] = constantTable(symbol)
      } else if (mode === DESCRIBED) {
        const read = readFseTable(input, [next, end], [bitsMax, symbolMax])
        this.#tables[index] = read.table
        next = read.next
      } else if (this.#tables[index] === undefined) {
        input.refuse(at, 'the table before, but there is none')
      }
    }
    if (next > end) input.refuse(at, 'tables that go beyond their block')
    return next
  }

  #play(
    input: PaddedInput,
    [at, end]: readonly [number, number],
    count: number,
    literals: Literals,
    history: History,
  ): void {
    const { view } = input
    const [lengths, offsets, matches] = this.#tables as readonly FseTable[]
    const { entries: lengthOf } = lengths
    const { entries: offsetOf } = offsets
    const { entries: matchOf } = matches
    const first = at * 8
    let place = input.markOf(at, end)
    const take = (bits: number) => {
      place -= bits
      return (view.getUint32(place >> 3, true) >>> (place & 7)) & ((1 << bits) - 1)
    }
    let length = lengthOf[take(lengths.bits)]
    let offset = offsetOf[take(offsets.bits)]
    let match = matchOf[take(matches.bits)]
    for (let left = count; left > 0; left--) {
      const offsetBits = offset & 0xff
      if (offsetBits > OFFSET_BITS_MAX) input.refuse(at, 'an offset beyond the window')
      const value = (1 << offsetBits) + take(offsetBits)
      const matchCode = match & 0xff
      const matchBytes = MATCH_LENGTHS.base[matchCode] + take(MATCH_LENGTHS.extra[matchCode])
      const code = length & 0xff
      const literalBytes = LITERAL_LENGTHS.base[code] + take(LITERAL_LENGTHS.extra[code])
      if (left > 1) {
        length = lengthOf[(length >> 16) + take((length >> 8) & 0xff)]
        match = matchOf[(match >> 16) + take((match >> 8) & 0xff)]
        offset = offsetOf[(offset >> 16) + take((offset >> 8) & 0xff)]
      }
      if (place < first) input.refuse(at, 'sequences that are broken off')
      const start = literals.start
      literals.start += literalBytes
      if (literals.start > literals.end)
        input.refuse(at, 'a sequence of more literals than there are')
      const back = this.#offset(value, literalBytes)
      if (
        !history.append(literals.bytes, start, literals.start) ||
        !history.repeat(back, matchBytes)
      ) {
        input.refuse(at, history.fault)
      }
    }
    if (place !== first) input.refuse(at, 'bits behind the last sequence')
  }

  /** From 1 to 3 it is one of the last three, the next one if no literals came; the third is then one less. */
  #offset(value: number, literalBytes: number): number {
    const last = this.#offsets
    if (value > 3) {
      last[2] = last[1]
      last[1] = last[0]
      last[0] = value - 3
      return value - 3
    }
    const which = value - (literalBytes > 0 ? 1 : 0)
    const offset = which === 3 ? last[0] - 1 : last[which]
    if (which > 1) last[2] = last[1]
    if (which > 0) last[1] = last[0]
    last[0] = offset
    return offset
  }
}
