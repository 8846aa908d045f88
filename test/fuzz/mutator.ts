// New inputs out of old ones: bits, bytes and numbers changed, parts left out, doubled, moved and taken from another
// input, constants of the code put in, and values that were compared made equal.

import type { Chance } from './chance.ts'
import { encodingsOf, exchangesFor, placesOf } from './encodings.ts'
import type { Compared, Pair } from './probes.ts'

const TELLING = [0, 1, 2, 3, 4, 7, 8, 9, 0x10, 0x20, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff]
const TELLING_NUMBERS: readonly (number | bigint)[] = [
  ...[0, 1, 2, 4, 8, 16, 255, 256, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000],
  ...[0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffffe, 0xffffffff, 0x100000000],
  ...[2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
]
const PLACES_MAX = 8
const ROUNDS_MAX = 5

export interface Parent {
  readonly bytes: Uint8Array
  readonly pairs: readonly Pair[]
}

type Mutation = (bytes: Uint8Array, parent: Parent, other: Uint8Array) => Uint8Array

export class Mutator {
  readonly #chance: Chance
  readonly #words: readonly Compared[]
  readonly #bytesMax: number

  constructor(chance: Chance, words: readonly Compared[], bytesMax: number) {
    this.#chance = chance
    this.#words = [...TELLING_NUMBERS, ...words]
    this.#bytesMax = bytesMax
  }

  /** `parent` with one to a good many changes, some of them taken from `other`. */
  child(parent: Parent, other: Uint8Array): Uint8Array {
    let bytes: Uint8Array = parent.bytes.slice()
    const times = 1 << this.#chance.below(ROUNDS_MAX)
    for (let i = 0; i < times; i++) {
      const mutation = this.#chance.of(this.#mutations)
      if (mutation !== undefined) bytes = mutation(bytes, parent, other)
    }
    return bytes.length > this.#bytesMax ? bytes.slice(0, this.#bytesMax) : bytes
  }

  readonly #mutations: readonly Mutation[] = [
    (bytes) => this.#set(bytes, (byte) => byte ^ (1 << this.#chance.below(8))),
    (bytes) => this.#set(bytes, () => this.#chance.below(256)),
    (bytes) => this.#set(bytes, () => this.#chance.of(TELLING) ?? 0),
    (bytes) => this.#set(bytes, (byte) => byte + this.#chance.below(17) - 8),
    (bytes) => this.#add(bytes),
    (bytes) => this.#word(bytes),
    (bytes) => this.#word(bytes),
    (bytes, { pairs }) => this.#exchange(bytes, pairs),
    (bytes, { pairs }) => this.#exchange(bytes, pairs),
    (bytes) => this.#leaveOut(bytes),
    (bytes) => this.#putIn(bytes, this.#part(bytes)),
    (bytes) => this.#putOver(bytes, this.#part(bytes)),
    (bytes, _, other) => this.#putIn(bytes, this.#part(other)),
    (bytes, _, other) => this.#putOver(bytes, this.#part(other)),
    (bytes, _, other) => this.#cross(bytes, other),
    (bytes) =>
      this.#putIn(bytes, new Uint8Array(this.#length(64)).fill(this.#chance.of(TELLING) ?? 0)),
  ]

  #set(bytes: Uint8Array, to: (byte: number) => number): Uint8Array {
    if (bytes.length === 0) return bytes
    const at = this.#chance.below(bytes.length)
    bytes[at] = to(bytes[at] ?? 0)
    return bytes
  }

  /** A number somewhat larger or smaller. */
  #add(bytes: Uint8Array): Uint8Array {
    const width = [2, 4, 8][this.#chance.below(3)] ?? 2
    if (bytes.length < width) return bytes
    const view = new DataView(bytes.buffer, this.#chance.below(bytes.length - width + 1), width)
    const isLittle = this.#chance.below(2) === 0
    const by = this.#chance.below(65) - 32
    if (width === 2) view.setUint16(0, view.getUint16(0, isLittle) + by, isLittle)
    else if (width === 4) view.setUint32(0, view.getUint32(0, isLittle) + by, isLittle)
    else
      view.setBigUint64(
        0,
        BigInt.asUintN(64, view.getBigUint64(0, isLittle) + BigInt(by)),
        isLittle,
      )
    return bytes
  }

  /** A constant, over what is there or between it. */
  #word(bytes: Uint8Array): Uint8Array {
    const word = this.#chance.of(this.#words)
    const encoded = word === undefined ? undefined : this.#chance.of(encodingsOf(word))
    if (encoded === undefined) return bytes
    return this.#chance.below(3) === 0 ? this.#putIn(bytes, encoded) : this.#putOver(bytes, encoded)
  }

  #exchange(bytes: Uint8Array, pairs: readonly Pair[]): Uint8Array {
    const pair = this.#chance.of(pairs)
    if (pair === undefined) return bytes
    const there = exchangesFor(pair).filter(({ from }) => placesOf(bytes, from, 1).length > 0)
    const exchange = this.#chance.of(there)
    if (exchange === undefined) return bytes
    const at = this.#chance.of(placesOf(bytes, exchange.from, PLACES_MAX)) ?? 0
    return exchanged(bytes, at, exchange.from, exchange.to)
  }

  #leaveOut(bytes: Uint8Array): Uint8Array {
    const at = this.#chance.below(bytes.length)
    return joined(bytes.subarray(0, at), bytes.subarray(at + this.#length(bytes.length - at)))
  }

  #part(bytes: Uint8Array): Uint8Array {
    const at = this.#chance.below(bytes.length)
    return bytes.slice(at, at + this.#length(bytes.length - at))
  }

  /** Mostly few, and often whole words. */
  #length(most: number): number {
    const length = 1 + this.#chance.below(Math.min(most, this.#chance.below(4) === 0 ? most : 32))
    return this.#chance.below(2) === 0 ? length : Math.min(most, (length + 7) & ~7)
  }

  #putIn(bytes: Uint8Array, part: Uint8Array): Uint8Array {
    if (bytes.length + part.length > this.#bytesMax) return bytes
    const at = this.#chance.below(bytes.length + 1)
    return joined(bytes.subarray(0, at), part, bytes.subarray(at))
  }

  #putOver(bytes: Uint8Array, part: Uint8Array): Uint8Array {
    if (part.length > bytes.length) return bytes
    bytes.set(part, this.#chance.below(bytes.length - part.length + 1))
    return bytes
  }

  /** The beginning of one, the end of the other. */
  #cross(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    return joined(
      bytes.subarray(0, this.#chance.below(bytes.length + 1)),
      other.subarray(this.#chance.below(other.length + 1)),
    )
  }
}

/** `from`, which stands at `at`, made `to`. */
export function exchanged(
  bytes: Uint8Array,
  at: number,
  from: Uint8Array,
  to: Uint8Array,
): Uint8Array {
  return joined(bytes.subarray(0, at), to, bytes.subarray(at + from.length))
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
