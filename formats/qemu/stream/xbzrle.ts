// XBZRLE: a page as its difference from the one that was there before, runs of equal bytes and runs of new ones
// in turn. Only bytes that differ are in it, so it is applied in place.

/**
 * Applies `length` bytes at `bytes[start]` to the page. Returns what is wrong with them, if anything: the page may
 * be half changed then.
 */
export function applyXbzrle(
  page: Uint8Array,
  bytes: Uint8Array,
  start: number,
  length: number,
): string | undefined {
  const end = start + length
  let at = start
  let to = 0
  const runLength = (): number => {
    if (at >= end) return -1
    const low = bytes[at++] ?? 0
    if (low < 0x80) return low
    if (at >= end) return -1
    const high = bytes[at++] ?? 0
    return high < 0x80 ? (low & 0x7f) + high * 0x80 : -1
  }
  while (at < end) {
    const equal = runLength()
    if (equal < 0) return 'the length of a run of equal bytes is broken off or longer than 2 bytes'
    if (equal === 0 && to > 0) return 'a run of no equal bytes that is not the first'
    const changed = runLength()
    if (changed < 0) return 'it ends on a run of equal bytes'
    if (changed === 0) return 'a run of no new bytes'
    to += equal
    if (at + changed > end) return 'a run of new bytes is longer than what there is'
    if (to + changed > page.length) return 'its runs are longer than a page'
    page.set(bytes.subarray(at, at + changed), to)
    at += changed
    to += changed
  }
  return undefined
}
