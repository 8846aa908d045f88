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
}

const work: Work = changetype<Work>(memory.data(4))

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
