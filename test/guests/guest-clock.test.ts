// The time that a guest is told, by virtual clocks: it follows the wall clock, never goes back, and runs at the rate
// of the monotonic clock while the wall clock is behind.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GuestClock } from '../../keepers/wasm/abi/guest-clock.ts'

const START_MS = 1_700_000_000_000
const HOUR_MS = 3_600_000

/** Both clocks of a host, which a test moves. */
class Host {
  wallMs = START_MS
  /** Since something, as monotonic clocks have it. */
  monotonicMs = 123.25
  clock = new GuestClock(0, this.monotonicMs)

  pass(ms: number, wallMs = ms): void {
    this.monotonicMs += ms
    this.wallMs += wallMs
  }

  read(): number {
    return this.clock.read(this.wallMs, this.monotonicMs)
  }

  checkpoint(): number {
    return this.clock.checkpointMs(this.monotonicMs)
  }
}

/** Another host, whose wall clock is off by so much, goes on from a checkpoint of `from`. */
function failover(from: Host, wallMs: number): Host {
  const host = new Host()
  host.wallMs = from.wallMs + wallMs
  host.monotonicMs = 7_000_000.5
  host.clock = new GuestClock(from.checkpoint(), host.monotonicMs)
  return host
}

describe('on one host', () => {
  test('it is the wall clock', () => {
    const host = new Host()
    for (const ms of [0, 1, 250, HOUR_MS]) {
      host.pass(ms)
      expect(host.read()).toBe(host.wallMs)
    }
  })

  test('a wall clock that is set back changes no duration', () => {
    const host = new Host()
    const before = host.read()
    host.pass(0, -HOUR_MS)
    expect(host.read()).toBe(before)
    host.pass(10_000)
    expect(host.read()).toBe(before + 10_000)
    host.pass(2 * HOUR_MS)
    expect(host.read()).toBe(before + 10_000 + 2 * HOUR_MS)
  })

  test('one that is set back and then right again is followed again', () => {
    const host = new Host()
    const before = host.read()
    host.pass(0, -HOUR_MS)
    host.pass(500)
    expect(host.read()).toBe(before + 500)
    host.pass(500, HOUR_MS + 750)
    expect(host.read()).toBe(before + 1250)
    expect(host.read()).toBe(host.wallMs)
  })

  test('one that jumps ahead is followed, and the time stays ahead when it is set back', () => {
    const host = new Host()
    const before = host.read()
    host.pass(1, HOUR_MS)
    expect(host.read()).toBe(before + HOUR_MS)
    host.pass(1, -HOUR_MS)
    expect(host.read()).toBe(before + HOUR_MS + 1)
  })

  test('one that jumps ahead and back between two readings is not noticed', () => {
    const host = new Host()
    const before = host.read()
    host.pass(1, HOUR_MS)
    expect(host.checkpoint()).toBe(before + 1)
    host.pass(1, -HOUR_MS + 1)
    expect(host.read()).toBe(before + 2)
  })

  test('one that goes slowly is not waited for, one that goes fast is followed', () => {
    const slow = new Host()
    const before = slow.read()
    for (let i = 0; i < 100; i++) slow.pass(10, 9)
    expect(slow.read()).toBe(before + 1000)
    const fast = new Host()
    for (let i = 0; i < 100; i++) fast.pass(10, 11)
    expect(fast.read()).toBe(before + 1100)
  })

  test('time passes for a guest that asks all the time, also while the wall clock is behind', () => {
    const host = new Host()
    const before = host.read()
    host.pass(0, -HOUR_MS)
    let last = before
    for (let i = 0; i < 64_000; i++) {
      host.pass(1 / 64)
      last = host.read()
    }
    expect(last).toBe(before + 1000)
  })

  test('being held up between the two readings does not make it run ahead', () => {
    const host = new Host()
    host.read()
    const wallMs = host.wallMs
    host.pass(400)
    host.clock.read(wallMs, host.monotonicMs)
    host.pass(1)
    expect(host.read()).toBe(host.wallMs)
  })

  test('a host without a battery clock, in 1970', () => {
    const host = new Host()
    host.wallMs = 0
    host.pass(5)
    expect(host.read()).toBe(5)
  })
})

describe('across a failover', () => {
  test('to a host that is ahead, it follows', () => {
    const a = new Host()
    const before = a.read()
    const b = failover(a, HOUR_MS)
    expect(b.read()).toBe(before + HOUR_MS)
  })

  test('to a host that is behind, it goes on from the checkpoint at the right rate', () => {
    const a = new Host()
    const before = a.read()
    const b = failover(a, -HOUR_MS)
    expect(b.read()).toBe(before)
    b.pass(1234)
    expect(b.read()).toBe(before + 1234)
  })

  test('a guest that has not asked for long loses none of the time up to the checkpoint', () => {
    const a = new Host()
    const before = a.read()
    a.pass(HOUR_MS)
    const b = failover(a, -2 * HOUR_MS)
    expect(b.read()).toBe(before + HOUR_MS)
  })

  test('one that was never told the time has no clock, and begins with that of the new host', () => {
    const a = new Host()
    a.pass(HOUR_MS)
    expect(a.checkpoint()).toBe(0)
    const b = failover(a, -2 * HOUR_MS)
    expect(b.read()).toBe(b.wallMs)
  })

  test('the second survivor goes on from the first one, though that was never asked', () => {
    const a = new Host()
    const before = a.read()
    const b = failover(a, -HOUR_MS)
    b.pass(2000)
    const c = failover(b, -HOUR_MS)
    expect(c.read()).toBe(before + 2000)
  })
})

test('whatever the wall clocks do, no time and no checkpoint is less than one before', () => {
  const step = fc.record({
    what: fc.constantFrom('read', 'checkpoint', 'failover'),
    passed: fc.double({ min: 0, max: 5000, noNaN: true }),
    wall: fc.oneof(fc.constant(0), fc.integer({ min: -HOUR_MS, max: HOUR_MS })),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let host = new Host()
      let last = 0
      for (const { what, passed, wall } of steps) {
        host.pass(passed, Math.floor(passed) + wall)
        if (what === 'failover') host = failover(host, wall)
        const time = what === 'read' ? host.read() : host.checkpoint()
        if (last > 0 || what === 'read') expect(time).toBeGreaterThanOrEqual(last)
        expect(Number.isSafeInteger(time)).toBe(true)
        last = time
      }
    }),
  )
})

test('a duration is never less than the time that passed on one host, but for rounding', () => {
  const step = fc.record({
    passed: fc.double({ min: 0, max: 5000, noNaN: true }),
    wall: fc.integer({ min: -HOUR_MS, max: 100 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const host = new Host()
      const began = host.read()
      const { monotonicMs } = host
      for (const { passed, wall } of steps) {
        host.pass(passed, passed + wall)
        expect(host.read() - began).toBeGreaterThan(host.monotonicMs - monotonicMs - 1.01)
      }
    }),
  )
})
