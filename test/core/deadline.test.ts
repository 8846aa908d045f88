// One timer for many short waits: it must not pass early for the wait of the moment, nor be late, nor be set
// anew for each wait.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deadline } from '../../shared/role/deadline.ts'
import { delaysWith, type DelayName } from '../../shared/protocol/delays.ts'
import { VirtualClock } from '../machines/virtual-clock.ts'

const delays = delaysWith()

function make() {
  const clock = new VirtualClock()
  const passed: number[] = []
  const deadline = new Deadline(clock, delays, () => passed.push(clock.now()))
  return { clock, passed, deadline }
}

describe('the deadline of a round', () => {
  test('passes once, when the delay has passed', () => {
    const { clock, passed, deadline } = make()
    deadline.set('replyTimeoutMs')
    clock.advance(delays.replyTimeoutMs - 1)
    expect(passed).toEqual([])
    clock.advance(100_000)
    expect(passed).toEqual([delays.replyTimeoutMs])
  })

  test('counts anew with each wait, longer or shorter', () => {
    const { clock, passed, deadline } = make()
    deadline.set('replyTimeoutMs')
    clock.advance(delays.replyTimeoutMs - 1)
    deadline.set('sendTimeoutMs')
    clock.advance(100)
    deadline.set('replyTimeoutMs')
    clock.advance(100_000)
    expect(passed).toEqual([delays.replyTimeoutMs - 1 + 100 + delays.replyTimeoutMs])
  })

  test('begins anew with progress, if that is what is waited for', () => {
    const { clock, passed, deadline } = make()
    deadline.set('sendTimeoutMs')
    clock.advance(delays.sendTimeoutMs - 1)
    deadline.renew('receivedTimeoutMs')
    deadline.renew('sendTimeoutMs')
    clock.advance(delays.sendTimeoutMs - 1)
    expect(passed).toEqual([])
    clock.advance(1)
    expect(passed).toEqual([2 * delays.sendTimeoutMs - 1])
    deadline.renew('sendTimeoutMs')
    clock.advance(100_000)
    expect(passed).toHaveLength(1)
  })

  test('leaves no timer behind when nothing is waited for', () => {
    const { clock, passed, deadline } = make()
    deadline.set('replyTimeoutMs')
    deadline.clear()
    expect(clock.timerCount).toBe(0)
    clock.advance(100_000)
    expect(passed).toEqual([])
  })

  test('sets no timer for waits that follow each other', () => {
    const { clock, deadline } = make()
    deadline.set('receivedTimeoutMs')
    const timer = clock.timersSet
    for (let i = 0; i < 100; i++) {
      clock.advance(1)
      deadline.set('receivedTimeoutMs')
    }
    expect(clock.timersSet).toBe(timer)
  })

  test('is what a timer for each wait would be', () => {
    const names = fc.constantFrom<(DelayName | 'clear')[]>(
      'replyTimeoutMs',
      'sendTimeoutMs',
      'vmstateTimeoutMs',
      'suspendTimeoutMs',
      'clear',
    )
    const steps = fc.array(fc.record({ name: names, ms: fc.nat(12_000) }), { maxLength: 20 })
    fc.assert(
      fc.property(steps, (waits) => {
        const { clock, passed, deadline } = make()
        const expected: number[] = []
        let at = Number.POSITIVE_INFINITY
        for (const { name, ms } of waits) {
          if (name === 'clear') deadline.clear()
          else deadline.set(name)
          at = name === 'clear' ? Number.POSITIVE_INFINITY : clock.now() + delays[name]
          clock.advance(ms)
          if (at > clock.now()) continue
          expected.push(at)
          at = Number.POSITIVE_INFINITY
        }
        expect(passed).toEqual(expected)
      }),
    )
  })
})
