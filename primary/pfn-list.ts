// Lists of dirty pages. What the primary captured and what the secondary's own guest touched are sent together:
// the union, each page once. Pages that were captured come first, since they may be on their way already.

/** `captured` counts up to `count` and ascends; `also` is unordered. The first `count` of the result are `captured`. */
export function withAlso(
  captured: Uint32Array<ArrayBufferLike>,
  count: number,
  also: Uint32Array<ArrayBufferLike>,
): Uint32Array<ArrayBufferLike> {
  const all = new Uint32Array(count + also.length)
  all.set(captured.subarray(0, count))
  let end = count
  for (const pfn of also.slice().toSorted()) {
    if (contains(captured, count, pfn)) continue
    if (end > count && all[end - 1] === pfn) continue
    all[end++] = pfn
  }
  return all.subarray(0, end)
}

function contains(pfns: Uint32Array<ArrayBufferLike>, count: number, pfn: number): boolean {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (pfns[middle] < pfn) low = middle + 1
    else high = middle
  }
  return low < count && pfns[low] === pfn
}
