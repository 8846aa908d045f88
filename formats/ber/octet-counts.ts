// How many octets a length and a number take in their shortest forms, which are DER's.

/** Octets that a length takes in the shortest definite form. */
export function lengthBytes(length: number): number {
  let count = 1
  if (length >= 128) for (let left = length; left > 0; left = Math.floor(left / 256)) count++
  return count
}

/** Octets of the shortest two's complement form of a safe integer. */
export function integerBytes(value: number): number {
  if (value === (value | 0)) {
    const bits = 33 - Math.clz32(value ^ (value >> 31))
    return (bits + 7) >> 3
  }
  let count = 1
  for (let left = value; left < -128 || left > 127; left = Math.floor(left / 256)) count++
  return count
}
