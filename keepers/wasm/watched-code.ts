// Code of the guest runs under a counter that the daemon's thread watches: code that does not end is a spin, and
// ends the guest. That holds for calls, and for what an instance does when it is made.

import { SIGNALS } from './guest-messages.ts'

export function watched<T>(signals: Int32Array, run: () => T): T {
  Atomics.add(signals, SIGNALS.calls, 1)
  try {
    return run()
  } finally {
    Atomics.add(signals, SIGNALS.calls, 1)
  }
}
