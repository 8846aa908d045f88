// What a guest sees of the time and of random bytes in one call follows from the call's time and seed alone, however
// it asks; and both are asked for only if the guest asks, and once.

import { createCipheriv } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CallValues, HostInput, SEED_BYTES, type CallInput } from '../../keepers/wasm/call-input.ts'
import { GuestPages } from '../../keepers/wasm/guest-pages.ts'
import { PageLog } from '../../keepers/wasm/page-log.ts'

const MEMORY_BYTES = 3 * 65536
const TABLE_BYTES = 65536

/** Times and seeds that are known beforehand: one more and another one in each call. */
class KnownInput implements CallInput {
  times = 0
  seeds = 0

  timeMs(): number {
    return 1000 + this.times++
  }

  seed(): Uint8Array {
    return seedOf(this.seeds++)
  }
}

const seedOf = (n: number) => new Uint8Array(SEED_BYTES).fill(n + 1)

function streamOf(seed: Uint8Array, length: number): Buffer {
  const stream = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16))
  return stream.update(Buffer.alloc(length))
}

class Calls {
  readonly input = new KnownInput()
  call = 1
  readonly values = new CallValues(this.input, () => this.call)
  readonly pages: GuestPages

  constructor() {
    const store = new SharedArrayBuffer(MEMORY_BYTES)
    const pfns = new SharedArrayBuffer(4096)
    this.pages = new GuestPages(store, pfns, TABLE_BYTES, new PageLog())
    this.pages.attach(new ArrayBuffer(TABLE_BYTES + MEMORY_BYTES))
    this.pages.captureDirty(() => {})
  }

  random(at: number, length: number): Buffer {
    this.values.putRandom(this.pages, at, length)
    return Buffer.from(this.pages.ram.subarray(at, at + length))
  }

  get marked(): number[] {
    return [...this.pages.table.entries()].flatMap(([page, mark]) => (mark === 1 ? [page] : []))
  }
}

describe('the time', () => {
  test('is one in a call, and asked for once', () => {
    const calls = new Calls()
    expect([calls.values.timeMs(), calls.values.timeMs()]).toEqual([1000, 1000])
    calls.call++
    expect(calls.values.timeMs()).toBe(1001)
    calls.call += 2
    expect([calls.values.timeMs(), calls.values.timeMs()]).toEqual([1002, 1002])
    expect(calls.input).toMatchObject({ times: 3, seeds: 0 })
  })

  test('of a host is whole, and that of its wall clock', () => {
    const began = Date.now()
    const time = new HostInput().timeMs()
    expect(Number.isSafeInteger(time)).toBe(true)
    expect(time).toBeGreaterThanOrEqual(began)
    expect(time).toBeLessThanOrEqual(Date.now())
  })

  test('of a host goes on from a checkpoint that is ahead of its wall clock', () => {
    const host = new HostInput()
    expect(host.clockMs).toBe(0)
    const ahead = Date.now() + 3_600_000
    host.goOnFrom(ahead)
    const checkpoint = host.clockMs
    expect(checkpoint).toBeGreaterThanOrEqual(ahead)
    const time = host.timeMs()
    expect(time).toBeGreaterThanOrEqual(checkpoint)
    expect(host.clockMs).toBeGreaterThanOrEqual(time)
  })
})

describe('random bytes', () => {
  test('follow from the seed of the call, in whatever pieces they are asked for', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 })
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 5 }), (asked, call) => {
        const calls = new Calls()
        for (let i = 0; i < call; i++) {
          calls.random(0, 1)
          calls.call++
        }
        const got = Buffer.concat(asked.map((length) => calls.random(4000, length)))
        expect(got.equals(streamOf(seedOf(call), got.length))).toBe(true)
      }),
    )
  })

  test('are the same in one piece that is longer than what is made at a time', () => {
    const got = new Calls().random(100, 2 * 65536 + 77)
    expect(got.equals(streamOf(seedOf(0), got.length))).toBe(true)
  })

  test('need one seed a call, and no time', () => {
    const calls = new Calls()
    for (let i = 0; i < 3; i++) calls.random(i, 40)
    expect(calls.input).toMatchObject({ times: 0, seeds: 1 })
  })

  test('of the host are others in each call, and on each host', () => {
    const values = new CallValues(new HostInput(), () => call)
    const { pages } = new Calls()
    let call = 1
    const seen = new Set<string>()
    for (; call <= 50; call++) {
      values.putRandom(pages, 0, 16)
      seen.add(pages.ram.toString('hex', 0, 16))
    }
    expect(seen.size).toBe(50)
  })

  test.each([
    ['one page', 4096, 4096, [1]],
    ['the last byte of a page', 8191, 1, [1]],
    ['two pages', 8190, 4, [1, 2]],
    ['pages beyond one piece', 4095, 65538, [...Array(18).keys()]],
    ['nothing', 5, 0, []],
    ['nothing, at the end', MEMORY_BYTES, 0, []],
    ['the end', MEMORY_BYTES - 1, 1, [47]],
  ])('mark %s', (_, at, length, marked) => {
    const calls = new Calls()
    calls.random(at, length)
    expect(calls.marked).toEqual(marked)
    const { pages } = calls
    pages.captureDirty(() => {})
    expect(pages.ram.equals(pages.store.subarray(0, MEMORY_BYTES))).toBe(true)
  })

  test.each([
    ['beyond the end', MEMORY_BYTES, 1],
    ['across the end', MEMORY_BYTES - 70_000, 70_001],
    ['nothing, beyond the end', MEMORY_BYTES + 1, 0],
    ['all that there could be', 0xffffffff, 0xffffffff],
  ])('are a trap %s, and nothing is written', (_, at, length) => {
    const calls = new Calls()
    expect(() => calls.random(at, length)).toThrow(
      `colo.random: ${length} bytes at ${at} are out of bounds, the guest has ${MEMORY_BYTES} bytes`,
    )
    expect(calls.marked).toEqual([])
    expect(calls.pages.ram.every((byte) => byte === 0)).toBe(true)
  })
})
