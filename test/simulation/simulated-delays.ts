// The delays of a simulated pair: as in production, but all of them short, so that a run of a second or two has
// room for several failovers. Each seed stretches each of them by chance, so that no order between two of them is
// taken for granted, except where one must be the longer one for a pair to work at all.

import {
  DELAY_NAMES,
  delaysWith,
  type DelayName,
  type Delays,
} from '../../shared/protocol/delays.ts'
import type { Chance } from './chance.ts'

const SHORT = delaysWith({
  heartbeatMs: 10,
  suspectMs: 60,
  claimHandicapMs: 8,
  commitWithinMs: 3,
  periodMs: 18,
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
  witnessRetryMaxMs: 40,
  registerCheckMs: 30,
  adoptionTimeoutMs: 200,
  yieldTimeoutMs: 80,
  reconnectMs: 12,
  haltedRecheckMs: 30,
})

export function simulatedDelays(chance: Chance): Delays {
  const delays: Record<DelayName, number> = { ...SHORT }
  for (const name of DELAY_NAMES) delays[name] *= chance.between(0.7, 2)
  delays.suspectMs = Math.max(delays.suspectMs, 4 * delays.heartbeatMs)
  return delays
}
