// Matches a key against a pattern of KEYS or SCAN: `*` any run of bytes, `?` any one byte, a backslash takes
// the next byte as it is. A mismatch goes back to the last star only, so the time is bounded by the product
// of the two lengths whatever the pattern. The pattern is limited, and the steps are counted.
import { setStepsLeft, stepsLeft } from './work'

/** Nobody types a longer one; with it a match takes at most so many steps for each byte of a key. */
export const PATTERN_BYTES_MAX: usize = 1024

const STAR: u8 = 0x2a
const QUESTION: u8 = 0x3f
const BACKSLASH: u8 = 0x5c

/** False as well if the call has no steps left: stepsLeft() is less than zero then. */
export function matches(pattern: usize, patternLength: usize, at: usize, length: usize): bool {
  let left = stepsLeft()
  const patternEnd = pattern + patternLength
  const end = at + length
  let afterStar: usize = 0
  let retryAt: usize = 0
  let result = false
  while (--left >= 0) {
    if (pattern < patternEnd) {
      let wanted = load<u8>(pattern)
      if (wanted == STAR) {
        afterStar = ++pattern
        retryAt = at
        if (pattern == patternEnd) {
          result = true
          break
        }
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
    } else if (at == end) {
      result = true
      break
    }
    if (!afterStar || retryAt >= end) break
    pattern = afterStar
    at = ++retryAt
  }
  setStepsLeft(left)
  return result
}
