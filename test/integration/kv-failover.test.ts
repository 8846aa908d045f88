// Deadlines and transactions of the shipped guest when the side that serves is killed: a key expires when it was to,
// as a client sees it, wherever its deadline was set; and what a connection had queued or watched goes with it.

import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import type { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { LineClient, redis } from './clients.ts'
import { Pair, until, type Name } from './pair.ts'

/** Long enough for a failover, also on a busy machine. */
const TTL_MS = 4000
/** By how much the pair's clock may be away from this process'. */
const CLOCK_MS = 50

let pair: Pair
const clients: Redis[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await pair.dispose()
})

async function clientOf(name: Name): Promise<Redis> {
  const client = await redis(pair.clients[name])
  clients.push(client)
  return client
}

/** Kills the side that serves; a client of the other one, which stands alone. */
async function killed(victim: Name): Promise<Redis> {
  const survivor = victim === 'a' ? 'b' : 'a'
  await pair.signal(victim, 'SIGKILL')
  await pair.until(survivor, 'standalone')
  return clientOf(survivor)
}

interface Deadline {
  readonly earliestMs: number
  readonly latestMs: number
}

/** A command that sets a deadline TTL_MS from now; when that is, as far as the client can know. */
async function settingDeadline(set: () => Promise<unknown>): Promise<Deadline> {
  const earliestMs = Date.now() + TTL_MS - CLOCK_MS
  await set()
  return { earliestMs, latestMs: Date.now() + TTL_MS + CLOCK_MS }
}

/** The key is there until its deadline, and no longer. */
async function expectToExpire(client: Redis, key: string, deadline: Deadline): Promise<void> {
  let seen = 0
  for (;;) {
    const askedMs = Date.now()
    const value = await client.get(key)
    if (value === null) break
    seen++
    expect(askedMs, 'when it was still there').toBeLessThanOrEqual(deadline.latestMs)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(Date.now(), 'when it was gone').toBeGreaterThanOrEqual(deadline.earliestMs)
  expect(seen).toBeGreaterThan(0)
}

describe('a deadline', () => {
  it('that was set on a passes on b', async () => {
    pair = await Pair.protected()
    const before = await clientOf('a')
    await before.set('kept', 'v', 'PX', TTL_MS)
    expect(await before.persist('kept')).toBe(1)
    await before.set('gone', 'v', 'PX', 1)
    const deadline = await settingDeadline(() => before.set('k', 'v', 'PX', TTL_MS))
    const after = await killed('a')
    expect(await after.get('gone')).toBeNull()
    await expectToExpire(after, 'k', deadline)
    expect(await after.pttl('kept')).toBe(-1)
    expect(await after.dbsize()).toBe(1)
  })

  it('that was set on b when it stood alone passes there, or on a after the next kill', async () => {
    pair = await Pair.protected()
    await (await clientOf('a')).set('k', 'v')
    const alone = await killed('a')
    const here = await settingDeadline(() => alone.pexpire('k', TTL_MS))
    await expectToExpire(alone, 'k', here)

    await pair.launch('a', 'primary')
    await pair.until('b', 'protected')
    await alone.set('moved', 'v')
    const there = await settingDeadline(() => alone.pexpire('moved', TTL_MS))
    await alone.rename('moved', 'm')
    const after = await killed('b')
    await expectToExpire(after, 'm', there)
  })

  it('is never further away after a kill than before', async () => {
    pair = await Pair.protected()
    const before = await clientOf('a')
    await before.set('k', 'v', 'PX', 3_600_000)
    const leftMs = await before.pttl('k')
    const [seconds, micros] = (await before.time()).map(Number)
    const after = await killed('a')
    expect(await after.pttl('k')).toBeLessThanOrEqual(leftMs)
    const [laterSeconds, laterMicros] = (await after.time()).map(Number)
    expect(laterSeconds * 1e6 + laterMicros).toBeGreaterThanOrEqual(seconds * 1e6 + micros)
  })
})

describe('a transaction', () => {
  it('and its watches are lost with their connection, and leave nothing behind', async () => {
    pair = await Pair.protected()
    const before = await clientOf('a')
    await before.set('k', 'v')
    const usedBytes = async (client: Redis) =>
      Number(/used_memory:(\d+)/.exec(await client.info())?.[1])
    const raw = await LineClient.to(pair.clients.a)
    const used = await usedBytes(before)
    for (const line of ['WATCH k', 'MULTI', `SET k ${'x'.repeat(10_000)}`]) raw.say(line)
    await until('its answers', () => raw.lines.length === 3)
    expect(raw.lines.at(-1)).toBe('+QUEUED\r')
    expect(await usedBytes(before)).toBeGreaterThan(used + 10_000)
    const after = await killed('a')
    await until('the connection to be closed', () => raw.closed)
    expect(await usedBytes(after)).toBeLessThan(used)
    expect(await after.info()).toMatch(/^connected_clients:1\r$/m)
    expect(await after.get('k')).toBe('v')
    const again = await LineClient.to(pair.clients.b)
    again.say('EXEC')
    await until('an answer', () => again.lines.length === 1)
    expect(again.lines[0]).toBe('-ERR EXEC without MULTI\r')
    again.close()
  })

  it('is on the other side as a whole or not at all', async () => {
    pair = await Pair.protected()
    const before = await clientOf('a')
    let answered = 0
    const stop = new Promise<void>((resolve) => {
      const next = (): unknown =>
        before
          .multi()
          .incr('x')
          .incr('y')
          .exec()
          .then(() => answered++)
          .then(next, () => resolve())
      next()
    })
    await until('some to be answered', () => answered > 20)
    const after = await killed('a')
    await stop
    const [x, y] = await after.mget('x', 'y')
    expect(x).toBe(y)
    expect(Number(x)).toBeGreaterThanOrEqual(answered)
  })

  it('of ioredis: multi, its errors, and watch', async () => {
    pair = await Pair.protected()
    const client = await clientOf('a')
    const done = await client.multi().set('a', '1').incr('a').get('a').expire('a', 100).exec()
    expect(done).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
      [null, 1],
    ])
    await client.set('text', 'abc')
    const mixed = await client.multi().incr('text').set('b', '1').exec()
    expect(mixed?.[0]?.[0]?.message).toBe('ERR value is not an integer or out of range')
    expect(mixed?.[1]).toEqual([null, 'OK'])
    await client.watch('a')
    await (await clientOf('a')).set('a', '5')
    expect(await client.multi().set('a', '6').exec()).toBeNull()
    expect(await client.get('a')).toBe('5')
  })
})

const PYTHON = '/usr/bin/python3'
const HAS_REDIS_PY = spawnSync(PYTHON, ['-c', 'import redis']).status === 0

const SCRIPT = `
import sys, redis
client = redis.Redis(port=int(sys.argv[1]))
with client.pipeline() as pipe:
    assert pipe.set('a', 1).incr('a').get('a').execute() == [True, 2, b'2']
try:
    client.pipeline().set('a', 'x').execute_command('LPUSH', 'l', 1).execute()
    raise SystemExit('no error')
except redis.exceptions.ExecAbortError:
    pass
except redis.exceptions.ResponseError as error:
    assert 'unknown command' in str(error), error
assert client.get('a') == b'2'
def double(pipe):
    value = int(pipe.get('a'))
    if value == 2:
        client.set('a', 5)
    pipe.multi()
    pipe.set('a', 2 * value)
client.transaction(double, 'a')
assert client.get('a') == b'10'
assert client.set('e', 'v', ex=100) and 99 <= client.ttl('e') <= 100
assert client.setex('f', 100, 'v') and client.persist('f') and client.ttl('f') == -1
assert client.getdel('f') == b'v' and client.get('f') is None
client.rename('e', 'g')
big = client.pipeline()
for i in range(5000):
    big.set('key%d' % i, i)
assert big.execute() == [True] * 5000
print('fine')
`

describe.skipIf(!HAS_REDIS_PY)('redis-py (else install python3-redis)', () => {
  it('has its pipelines, which are transactions, and watches carried out', async () => {
    pair = await Pair.protected()
    const run = promisify(execFile)
    const { stdout } = await run(PYTHON, ['-c', SCRIPT, String(pair.clients.a)])
    expect(stdout).toBe('fine\n')
  })
})
