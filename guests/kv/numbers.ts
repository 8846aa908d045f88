// Whole numbers of 64 bits to and from decimal text, as strictly as Redis reads them: no sign but a minus,
// no leading zero, no space. A parse has two results, so the number is left in memory and the verdict
// returned.

const parsed: usize = memory.data(8)
const digits: usize = memory.data(24)
const DIGITS_END: usize = 20

export function parsedNumber(): i64 {
  return load<i64>(parsed)
}

export function parseNumber(at: usize, length: usize): bool {
  const end = at + length
  const negative = length > 0 && load<u8>(at) == 0x2d
  if (negative) at++
  const count = end - at
  if (count == 0 || count > 19) return false
  if (load<u8>(at) == 0x30 && (count > 1 || negative)) return false
  let value: u64 = 0
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30
    if (digit > 9) return false
    value = value * 10 + digit
  }
  if (value > <u64>i64.MAX_VALUE + <u64>negative) return false
  store<i64>(parsed, negative ? -(<i64>value) : <i64>value)
  return true
}

/** Writes the text of a number and returns where it starts; it ends at numberEnd(). */
export function formatNumber(value: i64): usize {
  let at = digits + DIGITS_END
  let rest: u64 = value < 0 ? -(<u64>value) : <u64>value
  while (rest > 0xffffffff) {
    at--
    store<u8>(at, 0x30 + <u8>(rest % 10))
    rest /= 10
  }
  let low = <u32>rest
  do {
    at--
    store<u8>(at, 0x30 + <u8>(low % 10))
    low /= 10
  } while (low)
  if (value < 0) {
    at--
    store<u8>(at, 0x2d)
  }
  return at
}

export function numberEnd(): usize {
  return digits + DIGITS_END
}
