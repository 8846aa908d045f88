// The delays of a simulated pair: as in production, but all of them short, so that a run of a second or two has
// room for several failovers.

import { delaysWith } from '../../shared/protocol/delays.ts'

export const SIMULATED_DELAYS = delaysWith({
  heartbeatMs: 10,
  suspectMs: 60,
  claimHandicapMs: 8,
  commitWithinMs: 3,
  periodMs: 12,
  helloTimeoutMs: 60,
  suspendTimeoutMs: 100,
  replyTimeoutMs: 80,
  sendTimeoutMs: 80,
  receivedTimeoutMs: 80,
  loadedTimeoutMs: 80,
  requestTimeoutMs: 200,
  vmstateTimeoutMs: 120,
  loadTimeoutMs: 50,
  witnessTimeoutMs: 40,
  witnessRetryMs: 10,
  yieldTimeoutMs: 80,
  reconnectMs: 12,
  haltedRecheckMs: 30,
})
