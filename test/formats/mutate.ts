// Damage at random that follows from a seed, so that whatever it brings to light can be had again.

import * as streams from './streams.ts'

export type Random = (below: number) => number

/** mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Byte 4 of a record's header is its length; most damage goes there and to the words around it. */
export function mutate(parts: readonly Uint8Array[], random: Random): Uint8Array {
  const copies: Uint8Array[] = parts.map((part) => part.slice())
  const index = random(copies.length)
  const part = copies[index]
  switch (random(7)) {
    case 0:
      part[random(part.length)] ^= 1 << random(8)
      break
    case 1:
      part[random(Math.min(32, part.length))] = random(256)
      break
    case 2:
      new DataView(part.buffer).setUint32(4, random(3) === 0 ? 0xffffffff : random(9000), true)
      break
    case 3:
      new DataView(part.buffer).setUint32(0, random(0x16), true)
      break
    case 4:
      copies[index] = part.subarray(0, random(part.length))
      break
    case 5:
      copies.splice(index, 1, streams.bytesOf(random(40), random(99)), part)
      break
    default:
      copies.splice(random(copies.length), random(2), copies[random(copies.length)])
  }
  return streams.join(copies)
}
