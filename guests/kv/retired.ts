// What FLUSHALL has taken out of the table and not released yet. A large table has millions of entries, and to
// release them all takes seconds; so they are released in slices: some at once, the others whenever the host
// calls, and more of them when memory is needed.
import { allocate, allocateData, release } from './allocator'
import { BUCKET_STEPS, ENTRY_STEPS, setStepsLeft, spend, stepsLeft } from './work'

/** A segment of the table: its buckets, each the first entry of a chain, and behind them the next segment. */
export const SEGMENT_BITS: u32 = 12
export const SEGMENT_BUCKETS: u32 = 1 << SEGMENT_BITS
export const SEGMENT_BYTES: usize = 4 << SEGMENT_BITS
export const SEGMENT_ROOM: usize = SEGMENT_BYTES + 4

/** What each call of the host does of it. */
const STEPS_A_CALL: i32 = 200_000

@unmanaged
class Retired {
  /** The segment that is being emptied, or 0. */
  segment: usize
  /** The first of its buckets that is not empty. */
  bucket: u32
}

const retired: Retired = changetype<Retired>(memory.data(8))

/** Takes a segment, with all that hangs in it. */
export function retire(segment: usize): void {
  store<usize>(segment + SEGMENT_BYTES, retired.segment)
  retired.segment = segment
  retired.bucket = 0
}

/** Releases some of what is left. */
export function releaseRetired(steps: i32): void {
  if (!retired.segment) return
  const left = stepsLeft()
  const share = min(steps, left)
  setStepsLeft(share)
  while (retired.segment && stepsLeft() > 0) releaseBucket()
  setStepsLeft(left - (share - stepsLeft()))
}

export function releaseSlice(): void {
  releaseRetired(STEPS_A_CALL)
}

function releaseBucket(): void {
  const segment = retired.segment
  if (retired.bucket == SEGMENT_BUCKETS) {
    retired.segment = load<usize>(segment + SEGMENT_BYTES)
    retired.bucket = 0
    release(segment)
    return
  }
  const link = segment + ((<usize>retired.bucket) << 2)
  const entry = load<usize>(link)
  spend(BUCKET_STEPS)
  if (!entry) {
    retired.bucket++
    return
  }
  store<usize>(link, load<usize>(entry))
  release(entry)
  spend(ENTRY_STEPS)
}

/** As allocateData(), which what is retired makes room for if there is too little. */
export function allocateEntry(size: usize): usize {
  let found = allocateData(size)
  while (!found && retired.segment && stepsLeft() > 0) {
    releaseRetired(STEPS_A_CALL)
    found = allocateData(size)
  }
  return found
}

/** As allocate(), which what is retired makes room for if there is too little. */
export function allocateHeard(size: usize): usize {
  let found = allocate(size)
  while (!found && retired.segment && stepsLeft() > 0) {
    releaseRetired(STEPS_A_CALL)
    found = allocate(size)
  }
  return found
}
