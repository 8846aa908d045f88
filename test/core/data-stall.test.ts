// When a data channel counts as standing still, from what heartbeats say alone: bytes that wait and are not
// taken, for long enough, and not while a process was stopped or a link is only slow.

import { describe, expect, test } from 'vitest'
import { DataStall } from '../../shared/failover/data-stall.ts'

const HEARTBEAT = 50
const STALL = 800
const START = 1000

interface Heard {
  readonly sent: number
  readonly taken: number
}

/** A heartbeat every `every` ms; gives when the channel was first said to stand still, from the start on. */
function stillAt(of: (ms: number) => Heard, until = 10_000, every = HEARTBEAT): number | undefined {
  const stall = new DataStall(HEARTBEAT, STALL, START)
  for (let ms = every; ms <= until; ms += every) {
    const { sent, taken } = of(ms)
    if (stall.heard(sent, taken, START + ms)) return ms
  }
  return undefined
}

describe('a data channel', () => {
  test('stands still when bytes wait for dataStallMs and none is taken', () => {
    const cutAt = 2000
    const at = stillAt((ms) => ({ sent: ms, taken: Math.min(ms, cutAt) }))
    expect(at).toBeGreaterThan(cutAt + STALL)
    expect(at).toBeLessThanOrEqual(cutAt + STALL + 2 * HEARTBEAT)
  })

  test('stands still when the very first bytes are not taken', () => {
    expect(stillAt(() => ({ sent: 16, taken: 0 }))).toBe(STALL + HEARTBEAT)
  })

  test('does not while nothing is said on it', () => {
    expect(stillAt(() => ({ sent: 5000, taken: 5000 }))).toBeUndefined()
    expect(stillAt(() => ({ sent: 0, taken: 0 }))).toBeUndefined()
  })

  test('does not while a slow link takes anything at all', () => {
    // 1 Mbit/s, and 64 MiB handed over at once; then one that takes a packet every 700 ms.
    expect(stillAt((ms) => ({ sent: 2 ** 26, taken: ms * 125 }))).toBeUndefined()
    const packets = (ms: number) => Math.floor(ms / 700) * 1448
    expect(stillAt((ms) => ({ sent: 2 ** 26, taken: packets(ms) }))).toBeUndefined()
  })

  test('does not while bytes come late again and again, but come', () => {
    const lateMs = 600
    const isLost = (ms: number) => ms % 1000 < lateMs
    let taken = 0
    const at = stillAt((ms) => {
      if (!isLost(ms)) taken = ms
      return { sent: ms, taken }
    })
    expect(at).toBeUndefined()
  })

  test('is given its time anew with each byte', () => {
    const at = stillAt((ms) => ({ sent: 100, taken: ms < 700 ? 0 : 1 }))
    expect(at).toBe(700 + STALL)
  })

  test('is not judged by the time in which the peer says nothing', () => {
    // A heartbeat every 400 ms: the control channel is late as well, and each gap counts as two heartbeats.
    const at = stillAt(() => ({ sent: 16, taken: 0 }), 20_000, 400)
    expect(at).toBe(400 * (1 + STALL / (2 * HEARTBEAT)))
  })

  test('is not judged by the time in which this process was stopped', () => {
    const stall = new DataStall(HEARTBEAT, STALL, START)
    expect(stall.heard(16, 16, START + 50)).toBe(false)
    expect(stall.heard(32, 16, START + 100)).toBe(false)
    // Stopped for a minute: what the peer said meanwhile is read at once, the oldest first.
    for (let i = 0; i < 100; i++) {
      expect(stall.heard(32, 16, START + 60_000 + i / 100)).toBe(false)
    }
    expect(stall.heard(32, 32, START + 60_002)).toBe(false)
    expect(stall.stalledMs).toBe(0)
  })
})
