// Clients that ask for much and read little: what they make grow has a limit each and one in total, the others
// are served meanwhile, and whoever loses answers is reset, so that half an answer never looks whole.

import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { LineClient, redis } from './clients.ts'
import { Pair, until, type PairOptions } from './pair.ts'
import { connectTo, endOf } from './strangers.ts'

const MIB = 1 << 20
const VALUE_BYTES = 500_000

let started: Pair | undefined
let sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  await started?.dispose()
  started = undefined
})

async function start(options: PairOptions): Promise<Pair> {
  started = await Pair.protected(options)
  return started
}

/** One that does not read until it is told to. */
async function deaf(port: number, first: string): Promise<Socket> {
  const socket = await connectTo(port, first)
  socket.pause()
  sockets.push(socket)
  return socket
}

const descriptors = (pair: Pair) => readdirSync(`/proc/${pair.process('a').pid}/fd`).length

const resets = (pair: Pair) => pair.log('a').split('"a client was reset: ').length - 1

describe('unread output', () => {
  it('has a limit over all clients: the slowest is reset, and the others are served', async () => {
    const pair = await start({})
    const client = await redis(pair.clients.a)
    await client.set('big', 'x'.repeat(VALUE_BYTES))
    const before = (await pair.status('a')).rssBytes
    const gets = 'GET big\r\n'.repeat(50)
    for (let i = 0; i < 24; i++) {
      await deaf(pair.clients.a, gets)
      await client.incr('n')
    }
    await until('clients to be reset', () => resets(pair) > 5)
    expect(await client.incr('n')).toBe(25)
    const { rssBytes, state } = await pair.status('a')
    expect(state).toBe('protected')
    expect(rssBytes - before).toBeLessThan(LIMITS.outputBytesMax + 100 * MIB)
    expect(pair.log('a')).toMatch(/all clients together have not read \d+ bytes, and it the most/)
    client.disconnect()
  })

  it('of one client has a limit', async () => {
    const pair = await start({ guest: 'stress' })
    const socket = await deaf(pair.clients.a, `flood ${16 * MIB}\n`.repeat(6))
    await until('it to be reset', () => resets(pair) > 0)
    expect(await endOf(socket)).toBe('reset')
  })

  it('is small answers too: what they cost beside their bytes counts', async () => {
    const pair = await start({})
    const client = await redis(pair.clients.a)
    const before = (await pair.status('a')).rssBytes
    const pings = 'PING\r\n'.repeat(10_000)
    for (let i = 0; i < 24; i++) {
      const socket = await deaf(pair.clients.a, pings)
      for (let more = 0; more < 20; more++) socket.write(pings)
      await client.incr('n')
    }
    const { rssBytes } = await pair.status('a')
    expect(rssBytes - before).toBeLessThan(2 * LIMITS.outputBytesMax)
    client.disconnect()
  })
})

describe('a connection that the guest closes', () => {
  it('has a deadline to be read, and keeps nothing behind it', async () => {
    const pair = await start({ delays: { drainTimeoutMs: 300 } })
    const client = await redis(pair.clients.a)
    await client.set('big', 'x'.repeat(VALUE_BYTES))
    const before = descriptors(pair)
    const quits = await Promise.all(
      Array.from({ length: 3 }, async () =>
        deaf(pair.clients.a, `${'GET big\r\n'.repeat(50)}QUIT\r\n`),
      ),
    )
    await until('the connections to be gone', () => resets(pair) === 3)
    await until('their descriptors to be free', () => descriptors(pair) <= before)
    for (const quit of quits) expect(await endOf(quit)).toBe('reset')
    client.disconnect()
  })

  it('ends in order when it is read', async () => {
    const pair = await start({})
    const client = await redis(pair.clients.a)
    await client.set('big', 'x'.repeat(VALUE_BYTES))
    const socket = await deaf(pair.clients.a, `${'GET big\r\n'.repeat(50)}QUIT\r\n`)
    let bytes = 0
    socket.on('data', (data) => (bytes += data.length))
    expect(await endOf(socket)).toBe('end')
    expect(bytes).toBeGreaterThan(50 * VALUE_BYTES)
    client.disconnect()
  })
})

describe('answers of one call', () => {
  it('have a limit: its client is reset, whatever it had of them, and the guest lives', async () => {
    const pair = await start({ guest: 'stress' })
    const other = await LineClient.to(pair.clients.a)
    const socket = await deaf(pair.clients.a, `flood ${LIMITS.callOutputBytesMax + MIB}\n`)
    let bytes = 0
    socket.on('data', (data) => (bytes += data.length))
    expect(await endOf(socket)).toBe('reset')
    expect(bytes).toBeLessThan(LIMITS.callOutputBytesMax)
    const closing = await deaf(pair.clients.a, `flood ${LIMITS.callOutputBytesMax + MIB}\nclose\n`)
    expect(await endOf(closing)).toBe('reset')
    await until('the log to say why', () => /one call answered more than/.test(pair.log('a')))
    other.say('count')
    await until('an answer', () => other.lines.length === 1)
    expect((await pair.status('a')).state).toBe('protected')
    other.close()
  })

  it('may be many in one input', async () => {
    const pair = await start({ guest: 'stress' })
    const client = await LineClient.to(pair.clients.a)
    for (let i = 0; i < 60; i++) client.say(`flood ${MIB}`)
    await until('all of them', () => client.received.length === 60 * MIB)
    client.close()
  })
})

describe('what is held', () => {
  it('for a client that is gone is dropped at once', async () => {
    const pair = await start({
      guest: 'stress',
      proxied: true,
      delays: { receivedTimeoutMs: 30_000 },
    })
    pair.dataProxy?.block('forth')
    const socket = await deaf(pair.clients.a, `flood ${4 * MIB}\n`)
    await until('it to be held', async () => (await pair.status('a')).heldBytes >= 4 * MIB)
    socket.destroy()
    await until('it to be dropped', async () => (await pair.status('a')).heldBytes === 0)
    pair.dataProxy?.mend()
  })

  it('is bounded, however much was asked at once', async () => {
    const pair = await start({
      guest: 'stress',
      proxied: true,
      delays: { receivedTimeoutMs: 30_000 },
    })
    pair.dataProxy?.block('forth')
    for (let i = 0; i < 24; i++) await deaf(pair.clients.a, `flood ${8 * MIB}\n`.repeat(20))
    const held = async () => (await pair.status('a')).heldBytes
    await until('much to be held', async () => (await held()) >= LIMITS.heldBytesMax)
    for (let i = 0; i < 50; i++) {
      expect(await held()).toBeLessThanOrEqual(LIMITS.heldBytesMax + LIMITS.callOutputBytesMax)
    }
    pair.dataProxy?.mend()
  })
})

describe('a side that serves no more', () => {
  it('resets its clients', async () => {
    const pair = await start({ guest: 'stress' })
    const half = await connectTo(pair.clients.a, 'count\n')
    sockets.push(half)
    await once(half, 'data')
    const end = endOf(half)
    await (await pair.client('a')).ask('failover', { token: pair.token() })
    expect(await end).toBe('reset')
  })
})

describe('a side that claims', () => {
  it('keeps new clients waiting, and serves them when it may', async () => {
    const pair = await start({ guest: 'stress', witness: 'operator' })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'claiming')
    const early = await LineClient.to(pair.clients.b)
    early.say('count')
    await (await pair.client('b')).ask('failover', { token: pair.token() })
    await until('an answer', () => early.lines.length === 1)
    early.close()
  })

  it('does so for a while only, from the beginning of the claim', async () => {
    const delays = { claimingClientsMs: 200 }
    const pair = await start({ guest: 'stress', witness: 'operator', delays })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'claiming')
    const early = await connectTo(pair.clients.b, 'count\n')
    sockets.push(early)
    expect(await endOf(early)).toBe('reset')
    const began = performance.now()
    const late = await connectTo(pair.clients.b, 'count\n')
    sockets.push(late)
    expect(await endOf(late)).toBe('reset')
    expect(performance.now() - began).toBeLessThan(150)
  })

  it('keeps no more of them than its limit', async () => {
    const delays = { claimingClientsMs: 30_000 }
    const pair = await start({ witness: 'operator', delays })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'claiming')
    const mine: Socket[] = []
    for (let i = 0; i < LIMITS.claimingClientsMax + 10; i++) {
      const socket = await connectTo(pair.clients.b)
      mine.push(socket)
      sockets.push(socket)
      socket.resume()
    }
    // A reset may come before a listener could be there for it.
    await until('those that are too many to be reset', () => {
      return mine.filter((socket) => socket.destroyed).length === 10
    })
    await (await pair.client('b')).ask('failover', { token: pair.token() })
    await pair.until('b', 'standalone')
    expect((await pair.status('b')).clients).toBe(LIMITS.claimingClientsMax)
  })
})

describe('a full table of clients', () => {
  it('is told of, and takes new ones once there is room', async () => {
    const pair = await start({})
    await pair.signal('b', 'SIGKILL')
    await pair.launch('b', 'secondary', {}, ['prlimit', '--nofile=128:128'])
    await pair.until('a', 'protected')
    await (await pair.client('a')).ask('failover', { token: pair.token() })
    await pair.until('b', 'protected')
    for (let i = 0; i < 120; i++) sockets.push(await connectTo(pair.clients.b))
    const warnings = async () => (await pair.status('b')).warnings?.join() ?? ''
    await until('status to say so', async () =>
      (await warnings()).includes('places of clients are taken'),
    )
    expect(pair.log('b')).toMatch(/places of clients are taken/)
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    await pair.launch('a', 'primary')
    await pair.until('b', 'protected')
    for (const socket of sockets) socket.destroy()
    await until('room', async () => !(await warnings()).includes('places'))
    const client = await LineClient.to(pair.clients.b)
    client.say('PING')
    await until('an answer', () => client.lines.length === 1)
    client.close()
  })
})
