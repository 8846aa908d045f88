// Output leaves when the checkpoint that ends its epoch is committed, and not before; the guest does not wait
// for that, and neither does the length of its pause depend on the network.

import { afterEach, describe, expect, it } from 'vitest'
import { LineClient } from './clients.ts'
import { Pair, until } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

const QUIET_MS = 2000
/** The data channel stands still for longer than a session allows. */
const dataStallMs = 30_000

describe('with READY blocked', () => {
  it('a raw client reads nothing for two seconds while the guest runs on', async () => {
    const delays = {
      receivedTimeoutMs: 20_000,
      loadedTimeoutMs: 20_000,
      replyTimeoutMs: 20_000,
      dataStallMs,
    }
    pair = await Pair.protected({ guest: 'stress', proxied: true, delays })
    const client = await LineClient.to(pair.clients.a)
    client.say('count')
    await until('the first answer', () => client.lines.length === 1)

    pair.dataProxy?.block('forth')
    const before = client.received.length
    for (let i = 0; i < 100; i++) client.say('count')
    // The guest answered them all: their output is held.
    await until(
      'the guest to have answered',
      async () => (await pair!.status('a')).heldBytes >= 200,
    )
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    expect(client.received.length).toBe(before)
    expect((await pair.status('a')).state).toBe('protected')

    pair.dataProxy?.mend()
    await until('all answers', () => client.lines.length === 101)
    expect(client.lines.map(Number)).toEqual(Array.from({ length: 101 }, (_, i) => i + 1))
    client.close()
  })
})

describe('with a reader that has paused', () => {
  it('the pause of the guest stays what it was', async () => {
    const delays = {
      sendTimeoutMs: 30_000,
      receivedTimeoutMs: 30_000,
      vmstateTimeoutMs: 30_000,
      dataStallMs,
    }
    pair = await Pair.protected({ guest: 'stress', memoryMiB: 64, proxied: true, delays })
    const client = await LineClient.to(pair.clients.a)
    client.say('fill 12000')
    await until('the fill', () => client.lines.length === 1)
    client.say('dirty 1000')
    await until('a large checkpoint', () => client.lines.length === 2)

    pair.dataProxy?.block('back')
    client.say('dirty 1000')
    await until('the guest to have answered', async () => (await pair!.status('a')).heldBytes > 0)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(client.lines.length).toBe(2)
    pair.dataProxy?.mend()
    await until('the answer', () => client.lines.length === 3)

    const slow = await until('the slow checkpoint to be over', async () => {
      const { checkpoints = [] } = await (await pair!.client('a')).ask('history', { rows: 100 })
      return checkpoints.find((row) => (row.cycle as number) >= 1000)
    })
    expect(slow.pages).toBeGreaterThan(10_000)
    // The network cost a second and more; the guest stood still for a small part of it.
    expect(slow.pause).toBeLessThan((slow.cycle as number) / 4)
    client.close()
  })
})

describe('what is held', () => {
  it('is bounded: clients are not read from while too much is held, and nothing is lost', async () => {
    const delays = { receivedTimeoutMs: 30_000, dataStallMs }
    pair = await Pair.protected({ guest: 'stress', proxied: true, delays })
    const client = await LineClient.to(pair.clients.a)
    pair.dataProxy?.block('forth')
    const MIB = 1 << 20
    for (let i = 0; i < 64; i++) client.say(`flood ${MIB}`)
    const held = await until('much to be held', async () => {
      const { heldBytes } = await pair!.status('a')
      return heldBytes > 8 * MIB && heldBytes
    })
    expect(held).toBeLessThan(80 * MIB)
    pair.dataProxy?.mend()
    await until('all of it', () => client.received.length >= 64 * MIB)
    client.close()
  })
})
