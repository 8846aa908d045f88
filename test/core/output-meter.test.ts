// How much a guest may say in one call and before any of it has left, and how its input is cut into calls.

import { describe, expect, test } from 'vitest'
import { SIGNAL_BYTES, SIGNALS, outputWeight } from '../../keepers/wasm/guest-messages.ts'
import { FIRST_PART_BYTES, nextPartBytes, OutputMeter } from '../../keepers/wasm/output-meter.ts'
import { CallQueue } from '../../keepers/wasm/call-queue.ts'
import { GUEST_INPUT_BYTES } from '../../keepers/wasm/abi/wasm-module.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'

const MIB = 1 << 20

function make() {
  const signals = new Int32Array(SIGNAL_BYTES / 4)
  return { signals, meter: new OutputMeter(signals) }
}

describe('one call', () => {
  test('says so much and no more, and nothing more to whom it lost something for', () => {
    const { meter } = make()
    expect(meter.admits(1, LIMITS.callOutputBytesMax - 10)).toBe(true)
    expect(meter.admits(2, 11)).toBe(false)
    expect(meter.admits(2, 1)).toBe(false)
    expect(meter.admits(1, 10)).toBe(true)
    expect(meter.isCut(2)).toBe(true)
    expect(meter.endCall()).toEqual([2])
    expect(meter.endCall()).toEqual([])
    expect(meter.admits(2, 11)).toBe(true)
  })
})

describe('what has not left', () => {
  test('stops the input until it has, however often the counters wrap around', () => {
    const { meter, signals } = make()
    for (let i = 0; i < 2000; i++) {
      expect(meter.isFull()).toBe(false)
      expect(meter.admits(1, 8 * MIB)).toBe(true)
      meter.endCall()
      expect(meter.isFull()).toBe(true)
      expect(Atomics.exchange(signals, SIGNALS.waits, 0)).toBe(1)
      Atomics.add(signals, SIGNALS.settled, outputWeight(8 * MIB))
    }
  })
})

describe('the parts of an input', () => {
  test('grow while the answers are small, and shrink so that a call says about a megabyte', () => {
    let size = FIRST_PART_BYTES
    for (let i = 0; i < 20; i++) size = nextPartBytes(size, size, 100)
    expect(size).toBe(GUEST_INPUT_BYTES)
    const large = nextPartBytes(size, size, 16 * MIB)
    expect(large).toBe(size / 16)
    expect(nextPartBytes(large, 40, 1000 * MIB)).toBe(32)
  })
})

describe('the queue of calls', () => {
  test('is in order, also when it never runs empty', () => {
    const queue = new CallQueue<number>()
    expect(queue.take()).toBeUndefined()
    queue.push(-1)
    for (let i = 0; i < 5000; i++) {
      queue.push(i)
      expect(queue.take()).toBe(i - 1)
    }
    expect(queue.take()).toBe(4999)
    expect(queue.take()).toBeUndefined()
  })
})
