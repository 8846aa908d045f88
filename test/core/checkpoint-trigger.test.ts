// When a checkpoint is due, on a virtual clock: soon after output, at the latest after a period, at once when
// much is held or somebody asked; once, and only while armed.

import { describe, expect, test } from 'vitest'
import { CheckpointTrigger } from '../../primary/checkpoint-trigger.ts'
import { OutputGate } from '../../primary/output-gate.ts'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { VirtualClock } from '../machines/virtual-clock.ts'

const { periodMs, commitWithinMs } = delaysWith()

function make() {
  const clock = new VirtualClock()
  const gate = new OutputGate({ write() {}, close() {} })
  gate.hold()
  const due: string[] = []
  const trigger = new CheckpointTrigger(clock, delaysWith(), gate, (why) => {
    due.push(`${why} at ${clock.now()}`)
  })
  const say = (bytes = 1) => {
    gate.said(1, 1, new Uint8Array(bytes), clock.now())
    trigger.consider()
  }
  return { clock, due, trigger, say }
}

describe('the checkpoint trigger', () => {
  test('fires a period after it was armed, once', () => {
    const { clock, due, trigger } = make()
    clock.advance(1000)
    trigger.arm()
    clock.advance(10 * periodMs)
    expect(due).toEqual([`period at ${1000 + periodMs}`])
    expect(clock.timerCount).toBe(0)
  })

  test('fires commitWithinMs after the first byte that is held, not the last', () => {
    const { clock, due, trigger, say } = make()
    trigger.arm()
    clock.advance(20)
    say()
    clock.advance(commitWithinMs - 1)
    say()
    clock.advance(periodMs)
    expect(due).toEqual([`output at ${20 + commitWithinMs}`])
  })

  test('never waits longer than a period for output that came late', () => {
    const { clock, due, trigger, say } = make()
    trigger.arm()
    clock.advance(periodMs - 1)
    say()
    clock.advance(1)
    expect(due).toEqual([`period at ${periodMs}`])
  })

  test('fires at once when much has changed, but not for what changed before it was armed', () => {
    const { clock, due, trigger } = make()
    trigger.dirtied()
    trigger.arm()
    clock.advance(1)
    expect(due).toEqual([])
    trigger.dirtied()
    trigger.dirtied()
    expect(due).toEqual(['dirty at 1'])
  })

  test('fires when armed if output has waited meanwhile', () => {
    const { clock, due, trigger, say } = make()
    say()
    clock.advance(commitWithinMs + 1)
    expect(due).toEqual([])
    trigger.arm()
    expect(due).toEqual([`output at ${commitWithinMs + 1}`])
  })

  test('fires at once when much is held, or somebody asks', () => {
    const held = make()
    held.trigger.arm()
    held.say(LIMITS.heldBytesMax / 4)
    expect(held.due).toEqual([])
    held.say(1)
    expect(held.due).toEqual(['held at 0'])
    const asked = make()
    asked.trigger.ask()
    expect(asked.due).toEqual([])
    asked.trigger.arm()
    asked.trigger.arm()
    expect(asked.due).toEqual(['request at 0'])
  })

  test('does nothing once disarmed', () => {
    const { clock, due, trigger, say } = make()
    trigger.arm()
    trigger.disarm()
    say()
    clock.advance(10 * periodMs)
    expect({ due, timers: clock.timerCount }).toEqual({ due: [], timers: 0 })
  })
})
