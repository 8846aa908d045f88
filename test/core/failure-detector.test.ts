// When a peer is suspected, from times alone: silence long enough, but not if it was this process that slept.

import { describe, expect, test } from 'vitest'
import { FailureDetector } from '../../shared/failover/failure-detector.ts'

const HEARTBEAT = 50
const SUSPECT = 400
const START = 1000

/** Ticks every heartbeat from the start on; returns when the peer was suspected first. */
function suspectedAt(detector: FailureDetector, until: number, heardAt: readonly number[] = []) {
  for (let now = START + HEARTBEAT; now <= until; now += HEARTBEAT) {
    if (heardAt.includes(now)) detector.heard(now)
    if (detector.tick(now)) return now
  }
  return undefined
}

describe('the failure detector', () => {
  test('suspects at the first tick after suspectMs of silence', () => {
    const detector = new FailureDetector(HEARTBEAT, SUSPECT, START)
    expect(suspectedAt(detector, START + 2000)).toBe(START + SUSPECT)
  })

  test('counts from the last thing heard, whatever it was', () => {
    const detector = new FailureDetector(HEARTBEAT, SUSPECT, START)
    expect(suspectedAt(detector, START + 2000, [START + 350])).toBe(START + 350 + SUSPECT)
    expect(detector.silence(START + 350 + SUSPECT)).toBe(SUSPECT)
  })

  test('never suspects a peer that is heard', () => {
    const detector = new FailureDetector(HEARTBEAT, SUSPECT, START)
    const heard = Array.from({ length: 40 }, (_, index) => START + (index + 1) * HEARTBEAT)
    expect(suspectedAt(detector, START + 2000, heard)).toBeUndefined()
  })

  test('grants half a heartbeat when its own tick came late', () => {
    const detector = new FailureDetector(HEARTBEAT, SUSPECT, START)
    expect(detector.tick(START + 5000)).toBe(false)
    expect(detector.suspects(START + 5000 + HEARTBEAT / 2 - 1)).toBe(false)
    expect(detector.suspects(START + 5000 + HEARTBEAT / 2)).toBe(true)
  })

  test('has its reprieve used by what was in the socket meanwhile', () => {
    const detector = new FailureDetector(HEARTBEAT, SUSPECT, START)
    expect(detector.tick(START + 5000)).toBe(false)
    detector.heard(START + 5001)
    expect(detector.tick(START + 5050)).toBe(false)
    expect(detector.tick(START + 5100)).toBe(false)
  })

  test('a tick of two heartbeats is not late', () => {
    const detector = new FailureDetector(HEARTBEAT, SUSPECT, START)
    detector.tick(START + SUSPECT - 2 * HEARTBEAT)
    expect(detector.tick(START + SUSPECT)).toBe(true)
  })
})
