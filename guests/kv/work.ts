// What one call of the host may cost. A guest that computes for too long delays everybody's answers, and one
// that does so for seconds is ended, on one side and then on the other. So whatever grows with the keys, with a
// pattern or with the connections is counted in steps, about a nanosecond each, and a command that would need
// more than is left of the call is refused. Counting steps and not time gives the same answers on every host.

/** For all commands of one call together: less than 100 ms. */
const STEPS_MAX: i32 = 40_000_000
/** A bucket that is looked at, and an entry of it: each is likely to be far from the one before in memory. */
export const BUCKET_STEPS: i32 = 5
export const ENTRY_STEPS: i32 = 100

@unmanaged
class Work {
  left: i32
  /** The commands of a transaction are carried out: what they copy was counted before the first of them. */
  isPaid: bool
}

const work: Work = changetype<Work>(memory.data(8))

export function startWork(): void {
  work.left = STEPS_MAX
}

/** How many steps may still be taken; less than zero: more were needed than were left. */
export function stepsLeft(): i32 {
  return work.left
}

export function setStepsLeft(steps: i32): void {
  work.left = steps
}

export function spend(steps: i32): void {
  work.left -= steps
}

/** How many bytes are copied in a step, with much to spare. */
const COPY_SHIFT: usize = 2

export function copySteps(bytes: usize): i32 {
  return <i32>(bytes >> COPY_SHIFT)
}

/** Whether there is time to copy so many bytes. */
export function mayCopy(bytes: usize): bool {
  if (work.isPaid) return true
  spend(copySteps(bytes))
  return work.left >= 0
}

/** Between the two, what is copied was counted before. */
export function startPaid(): void {
  work.isPaid = true
}

export function endPaid(): void {
  work.isPaid = false
}
