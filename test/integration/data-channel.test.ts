// A data channel that does wrong while the control channel lives: bytes that arrive changed are found before they
// count, a channel that stands still is noticed, and one that is only slow is left alone.

import { afterEach, describe, expect, it } from 'vitest'
import { redis } from './clients.ts'
import { Pair, until } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

const VALUE = 'VALUE'.repeat(60)
const BIT = 0x01

/** How often `text` is in the log. */
const timesIn = (log: string, text: string) => log.split(text).length - 1

describe('a bit that is flipped on its way', () => {
  it('is never in what the survivor goes on from', async () => {
    pair = await Pair.protected({ proxied: true })
    const subject = pair
    let flips = 0
    subject.dataProxy!.onBack = (bytes) => {
      for (let at = bytes.indexOf(VALUE); at >= 0; at = bytes.indexOf(VALUE, at + VALUE.length)) {
        bytes[at + 2] ^= BIT
        flips++
      }
    }
    const client = await redis(subject.clients.a)
    expect(await client.set('k', VALUE)).toBe('OK')
    // Each full copy is damaged as well: the primary serves, and the secondary is never named.
    await until('two sessions to end', () => timesIn(subject.log('b'), 'the digest is not') >= 2)
    expect(flips).toBeGreaterThan(1)
    expect(timesIn(subject.log('b'), 'bad-stream')).toBeGreaterThanOrEqual(2)
    expect((await subject.status('b')).state).not.toBe('protected')
    expect(await client.get('k')).toBe(VALUE)

    subject.dataProxy!.onBack = undefined
    await subject.until('a', 'protected')
    await subject.signal('a', 'SIGKILL')
    await subject.until('b', 'standalone')
    const after = await redis(subject.clients.b)
    expect(await after.get('k')).toBe(VALUE)
    after.disconnect()
    client.disconnect()
  })
})

describe('a data channel that stands still', () => {
  it.each(['forth', 'back'] as const)('%s ends the session, and the guest serves', async (way) => {
    // Any other wait is longer than the test may take.
    const long = 60_000
    const others = { replyTimeoutMs: long, receivedTimeoutMs: long, vmstateTimeoutMs: long }
    pair = await Pair.protected({ proxied: true, delays: others })
    const client = await redis(pair.clients.a)
    expect(await client.incr('visits')).toBe(1)
    pair.dataProxy!.block(way)
    expect(await client.incr('visits')).toBe(2)
    await pair.until('a', 'standalone')
    expect(pair.log('a')).toContain('dataStallMs')
    pair.dataProxy!.cut()
    pair.dataProxy!.mend()
    await pair.until('b', 'protected')
    client.disconnect()
  })
})

describe('a slow data channel', () => {
  it('of 1 Mbit/s carries a checkpoint of seconds', async () => {
    // The other waits are told that the link is slow.
    const long = 60_000
    const delays = { sendTimeoutMs: long, receivedTimeoutMs: long, vmstateTimeoutMs: long }
    pair = await Pair.protected({ proxied: true, memoryMiB: 4, delays })
    const client = await redis(pair.clients.a)
    pair.dataProxy!.bytesPerS = 125_000
    const value = 'x'.repeat(100_000)
    expect(await client.set('k', value)).toBe('OK')
    await until('a checkpoint that took longer than a channel may stand still', async () => {
      const { checkpoints = [] } = await (await pair!.client('a')).ask('history', { rows: 100 })
      return checkpoints.some(
        ({ cycle, outcome }) => (cycle as number) > 2000 && outcome === 'committed',
      )
    })
    expect(await pair.status('a')).toMatchObject({ session: 1, state: 'protected' })
    expect(pair.log('a') + pair.log('b')).not.toContain('dataStallMs')
    client.disconnect()
  })
})
