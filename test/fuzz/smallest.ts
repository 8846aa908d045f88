// Makes an input smaller that does what must not happen, as long as it still does the same.

import type { FuzzTarget } from './fuzz-target.ts'

const SIGN_CHARACTERS = 60

/** What was raised, without the numbers in it; undefined if nothing was. */
function signOf(target: FuzzTarget, bytes: Uint8Array): string | undefined {
  try {
    target.run(bytes.slice())
    return undefined
  } catch (error) {
    return String(error).replaceAll(/\d+/g, 'n').slice(0, SIGN_CHARACTERS)
  }
}

const without = (bytes: Uint8Array, at: number, length: number) =>
  new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]))

/** The smallest that leaving out parts and clearing bytes leads to. */
export function smallest(target: FuzzTarget, found: Uint8Array): Uint8Array {
  const sign = signOf(target, found)
  if (sign === undefined) return found
  const isSame = (bytes: Uint8Array) => signOf(target, bytes) === sign
  let bytes = found
  for (let before = -1; before !== bytes.length;) {
    before = bytes.length
    for (let length = bytes.length >> 1; length >= 1; length >>= 1) {
      for (let at = bytes.length - length; at >= 0; at -= length) {
        const less = without(bytes, at, length)
        if (isSame(less)) bytes = less
      }
    }
  }
  for (let at = 0; at < bytes.length; at++) {
    const cleared = bytes.with(at, 0)
    if (isSame(cleared)) bytes = cleared
  }
  return bytes
}
