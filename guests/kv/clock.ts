// The host's clock. It stands still during a call, so it is asked once a call, and only if somebody needs it.
import { now } from './colo'

@unmanaged
class Clock {
  isKnown: bool
  ms: i64
}

const clock: Clock = changetype<Clock>(memory.data(16, 8))

export function startClock(): void {
  clock.isKnown = false
}

/** Milliseconds since 1970. */
export function currentMs(): i64 {
  if (!clock.isKnown) {
    clock.ms = <i64>now()
    clock.isKnown = true
  }
  return clock.ms
}
