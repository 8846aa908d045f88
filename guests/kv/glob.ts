// Matches a key against a pattern of KEYS or SCAN: `*` any run of bytes, `?` any one byte, a backslash takes
// the next byte as it is. A mismatch goes back to the last star only, so the time is bounded by the product
// of the two lengths whatever the pattern.

const STAR: u8 = 0x2a
const QUESTION: u8 = 0x3f
const BACKSLASH: u8 = 0x5c

export function matches(pattern: usize, patternLength: usize, at: usize, length: usize): bool {
  const patternEnd = pattern + patternLength
  const end = at + length
  let afterStar: usize = 0
  let retryAt: usize = 0
  while (true) {
    if (pattern < patternEnd) {
      let wanted = load<u8>(pattern)
      if (wanted == STAR) {
        afterStar = ++pattern
        retryAt = at
        continue
      }
      const any = wanted == QUESTION
      let next = pattern + 1
      if (wanted == BACKSLASH && next < patternEnd) wanted = load<u8>(next++)
      if (at < end && (any || wanted == load<u8>(at))) {
        pattern = next
        at++
        continue
      }
    } else if (at == end) return true
    if (!afterStar || retryAt >= end) return false
    pattern = afterStar
    at = ++retryAt
  }
}
