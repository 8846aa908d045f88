// Lists of dirty pages. What the primary captured and what the secondary's own guest touched are sent together:
// the union, each page once, ascending.

export interface PfnList {
  readonly pfns: Uint32Array<ArrayBufferLike>
  readonly count: number
}

/** `first` counts up to `count` and ascends; `second` is unordered and usually empty: then nothing is copied. */
export function mergePfns(
  first: Uint32Array<ArrayBufferLike>,
  count: number,
  second: Uint32Array<ArrayBufferLike>,
): PfnList {
  if (second.length === 0) return { pfns: first, count }
  const merged = new Uint32Array(count + second.length)
  merged.set(first.subarray(0, count))
  merged.set(second, count)
  merged.sort()
  let kept = 0
  for (let i = 0; i < merged.length; i++) {
    if (kept === 0 || merged[kept - 1] !== merged[i]) merged[kept++] = merged[i]
  }
  return { pfns: merged, count: kept }
}
