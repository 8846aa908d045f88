// How a value that code compares may lie in a stream: numbers of each width in both orders, texts as their bytes.

import type { Compared, Pair } from './probes.ts'

const WIDTHS = [8, 4, 2, 1] as const

function widthOf(value: number | bigint): number {
  const big = BigInt(value)
  return WIDTHS.findLast((width) => big === BigInt.asUintN(8 * width, big)) ?? 8
}

function bytesOfNumber(value: number | bigint, width: number, isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), isLittle)
  return isLittle ? bytes.subarray(0, width) : bytes.subarray(8 - width)
}

const bytesOfText = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

/** Every way that `value` may be written, the widest first. */
export function encodingsOf(value: Compared): Uint8Array[] {
  if (typeof value === 'string') return [bytesOfText(value)]
  const least = widthOf(value)
  const decimal = bytesOfText(String(value))
  return WIDTHS.filter((width) => width >= least).flatMap((width) =>
    width === 1
      ? [bytesOfNumber(value, 1, true)]
      : [bytesOfNumber(value, width, true), bytesOfNumber(value, width, false), decimal],
  )
}

export interface Exchange {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** What to look for in an input, and what to put there, so that two compared values become equal. */
export function exchangesFor({ seen, due }: Pair): Exchange[] {
  if (typeof seen === 'string' || typeof due === 'string') {
    return [{ from: bytesOfText(String(seen)), to: bytesOfText(String(due)) }]
  }
  const least = Math.max(widthOf(seen), widthOf(due))
  const binary = WIDTHS.filter((width) => width >= least && width > 1).flatMap((width) =>
    [true, false].map((isLittle) => ({
      from: bytesOfNumber(seen, width, isLittle),
      to: bytesOfNumber(due, width, isLittle),
    })),
  )
  return [...binary, { from: bytesOfText(String(seen)), to: bytesOfText(String(due)) }]
}

/** Where `bytes` stand in `input`, `most` places at most. */
export function placesOf(input: Uint8Array, bytes: Uint8Array, most: number): number[] {
  const whole = Buffer.from(input.buffer, input.byteOffset, input.length)
  const places: number[] = []
  let at = whole.indexOf(bytes)
  while (at >= 0 && places.length < most) {
    places.push(at)
    at = whole.indexOf(bytes, at + 1)
  }
  return places
}
