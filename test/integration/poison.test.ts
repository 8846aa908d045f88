// One client's request ends the guest of one side. The client sends it to the other side, as one that tries again
// does: that guest must live, others are served, and both logs name the client.

import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { LineClient } from './clients.ts'
import { Pair, until, type Name } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

async function start(delays: Readonly<Record<string, number>> = {}): Promise<Pair> {
  pair = await Pair.protected({ guest: 'stress', delays: { guestCallTimeoutMs: 600, ...delays } })
  const client = await LineClient.to(pair.clients.a)
  client.say('count')
  await until('the first answer', () => client.lines.length === 1)
  client.close()
  return pair
}

/** Sends the pieces one by one; a piece `<` waits for an answer. */
async function send(side: Name, pieces: readonly string[]): Promise<LineClient> {
  const client = await LineClient.to(pair!.clients[side])
  for (const piece of pieces) {
    const answers = client.lines.length
    if (piece === '<') await until('an answer', () => client.lines.length > answers - 1)
    else client.socket.write(piece)
    // A moment, so that pieces come one by one.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return client
}

async function survives(name: Name): Promise<void> {
  await until(`${name} to be the primary`, async () => {
    const status = await pair!.status(name)
    return status.role === 'primary' && status.state === 'protected'
  })
}

async function count(side: Name): Promise<number> {
  const client = await LineClient.to(pair!.clients[side])
  client.say('count')
  await until('an answer', () => client.lines.length === 1)
  client.close()
  return Number(client.lines[0])
}

const LONG = `trap ${'x'.repeat(100_000)}`

describe('a client that sends again what the guest died of', () => {
  it.each([
    ['a trap', ['trap\n'], ['trap\n']],
    ['a spin', ['forever\n'], ['forever\n']],
    ['cut elsewhere', ['trap\n'], ['tr', 'ap\n']],
    ['with more behind it', ['trap\n'], ['trap\ncount\n']],
    ['behind an answer', ['count\n', '<', 'trap\n'], ['count\n', '<', 'trap\n']],
    ['without what was answered', ['count\n', '<', 'trap\n'], ['trap\n']],
    ['with what was not answered', ['count\ntrap\n'], ['count\ntrap\n']],
    ['a long one', [LONG, '\n'], [`${LONG}\n`]],
  ])('%s: is reset, and the guest lives', async (_, first, again) => {
    await start()
    const poisoner = await send('a', first)
    await survives('b')
    await until('the client to be closed', () => poisoner.closed)
    for (let i = 0; i < 5; i++) {
      const client = await send('b', again)
      await until('the client to be reset', () => client.closed)
    }
    expect(await count('b')).toBeGreaterThan(1)
    expect(await pair!.status('b')).toMatchObject({ role: 'primary', failovers: 1 })
    expect(pair!.log('b')).not.toMatch(/"msg":"(trap|spin): /)
  })

  it('is named with its address by both sides, and not once for each try', async () => {
    await start()
    const poisoner = await send('a', ['trap\n'])
    await survives('b')
    const address = /trap: .*, by 5 bytes of the client (127\.0\.0\.1:\d+)/.exec(pair!.log('a'))
    expect(address?.[1]).not.toBe(`127.0.0.1:${pair!.clients.a}`)
    const lines = () =>
      pair!
        .log('a')
        .split('\n')
        .filter((line) => line.includes('guest-died'))
    expect(JSON.parse(lines()[0])).toMatchObject({ code: 'guest-died', level: 50 })
    poisoner.close()
    for (let i = 0; i < 20; i++) {
      const client = await send('b', ['trap\n'])
      await until('the client to be reset', () => client.closed)
    }
    const resets = pair!
      .log('b')
      .split('\n')
      .filter((line) => line.includes('reset the client'))
    expect(resets).toHaveLength(5)
    expect(JSON.parse(resets[0])).toMatchObject({
      level: 40,
      times: 1,
      wayOut: expect.stringContaining('keep this client'),
      msg: expect.stringMatching(
        /^reset the client 127\.0\.0\.1:\d+: it sent 5 bytes that a guest/,
      ),
    })
  })

  it('and is noticed only because no capture came of it: is known all the same', async () => {
    await start({ suspendTimeoutMs: 300, guestCallTimeoutMs: 60_000 })
    await send('a', ['forever\n'])
    await survives('b')
    expect(pair!.log('a')).toMatch(/not captured within suspendTimeoutMs, by 8 bytes of the client/)
    const client = await send('b', ['forever\n'])
    await until('the client to be reset', () => client.closed)
    expect(await count('b')).toBe(2)
  })

  it('and has hung up before the spin was noticed: is known all the same', async () => {
    await start()
    const poisoner = await send('a', ['forever\n'])
    poisoner.socket.resetAndDestroy()
    await once(poisoner.socket, 'close')
    await survives('b')
    const client = await send('b', ['forever\n'])
    await until('the client to be reset', () => client.closed)
    expect(await count('b')).toBe(2)
  })

  it('is known to the side whose guest died, once it serves again', async () => {
    await start()
    await send('a', ['trap\n'])
    await survives('b')
    await pair!.until('a', 'protected')
    await pair!.signal('b', 'SIGKILL')
    await pair!.until('a', 'standalone')
    const client = await send('a', ['trap\n'])
    await until('the client to be reset', () => client.closed)
    expect(await count('a')).toBe(2)
  })

  it('is taken again after poisonKeptMs', async () => {
    await start({ poisonKeptMs: 1 })
    await send('a', ['trap\n'])
    await survives('b')
    await send('b', ['trap\n'])
    await survives('a')
    expect(pair!.log('b')).toMatch(/"msg":"trap: .* of the client/)
  })
})
