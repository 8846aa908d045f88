// What the pair is for: whichever side dies, hangs or is cut off, idle or in the middle of a checkpoint, the
// other goes on with every write that was acknowledged, never are both serving, and a fresh secondary makes
// the pair protected again.

import { afterEach, describe, expect, it } from 'vitest'
import { redis } from './clients.ts'
import { Pair, until, type Name } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

const WRITES = 25

type Moment = 'idle' | 'during a checkpoint'
type Failure = 'SIGKILL' | 'SIGSTOP' | 'cut'

async function fail(subject: Pair, victim: Name, failure: Failure): Promise<void> {
  if (failure === 'cut') {
    subject.controlProxy?.cut()
    subject.dataProxy?.cut()
    return
  }
  await subject.signal(victim, failure)
}

const cases: [Name, Moment, Failure, Name][] = []
for (const moment of ['idle', 'during a checkpoint'] as const) {
  for (const failure of ['SIGKILL', 'SIGSTOP'] as const) {
    cases.push(['a', moment, failure, 'b'], ['b', moment, failure, 'a'])
  }
  // When both claim, the primary wins: the handicap sees to it, however late a busy machine lets it know.
  cases.push(['a', moment, 'cut', 'a'])
}

describe('failover', () => {
  it.each(cases)('of %s, %s, by %s: %s goes on', async (victim, moment, failure, survivor) => {
    const delays: Record<string, number> = failure === 'cut' ? { claimHandicapMs: 1000 } : {}
    pair = await Pair.protected({ proxied: true, delays })
    const client = await redis(pair.clients.a)
    for (let i = 1; i <= WRITES; i++) expect(await client.incr('visits')).toBe(i)

    let pending: Promise<number | undefined> = Promise.resolve(undefined)
    if (moment === 'during a checkpoint') {
      pair.dataProxy?.block('forth')
      pending = client.incr('visits').catch(() => undefined)
      await until('output to be held', async () => (await pair!.status('a')).heldBytes > 0)
    }
    await fail(pair, victim, failure)
    await pair.until(survivor, 'standalone')

    const after = survivor === 'a' ? client : await redis(pair.clients.b)
    const visits = Number(await after.get('visits'))
    expect(visits).toBeGreaterThanOrEqual(WRITES)
    expect(visits).toBeLessThanOrEqual(WRITES + (moment === 'idle' ? 0 : 1))
    expect(await after.incr('visits')).toBe(visits + 1)

    if (failure === 'SIGKILL') await pair.launch(victim, victim === 'a' ? 'primary' : 'secondary')
    if (failure === 'SIGSTOP') pair.process(victim).kill('SIGCONT')
    pair.controlProxy?.mend()
    pair.dataProxy?.mend()
    // What the failed side still says at most was safe with the survivor.
    const late = await pending
    if (late !== undefined) expect(late).toBeLessThanOrEqual(visits)
    const again = await pair.until(survivor, 'protected')
    expect(again.role).toBe('primary')
    expect(await after.incr('visits')).toBe(visits + 2)
    const roles = [(await pair.status('a')).role, (await pair.status('b')).role].toSorted()
    expect(roles).toEqual(['primary', 'secondary'])
    after.disconnect()
    client.disconnect()
  })
})

describe('failback', () => {
  it('leaves the process of the survivor and the connections of its clients alone, again and again', async () => {
    pair = await Pair.protected()
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    const { pid } = await pair.status('b')
    const client = await redis(pair.clients.b)
    const id = await client.client('ID')
    for (let round = 1; round <= 3; round++) {
      await pair.launch('a', 'primary')
      await pair.until('b', 'protected')
      expect(await client.incr('rounds')).toBe(round)
      await pair.signal('a', 'SIGKILL')
      await pair.until('b', 'standalone')
    }
    expect(await client.client('ID')).toBe(id)
    expect((await pair.status('b')).pid).toBe(pid)
    client.disconnect()
  })

  it('waits to be asked when it is manual', async () => {
    pair = await Pair.protected({ failback: 'manual' })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    await pair.launch('a', 'primary')
    const refused = await until('a to be told why', async () => {
      const status = await pair!.status('a')
      return status.reason.includes('failback-not-asked') && status
    })
    expect(refused.state).toBe('connecting')
    const operator = await pair.client('b')
    await operator.ask('failback', { token: pair.token() })
    await pair.until('b', 'protected')
  })
})

describe('the promoted guest', () => {
  it('has the memory of the last commit', async () => {
    pair = await Pair.protected()
    const client = await redis(pair.clients.a)
    for (let i = 0; i < 200; i++) await client.set(`key:${i}`, 'x'.repeat(i * 10))
    await client.quit()
    const committed = await until('both sides to be level', async () => {
      const [a, b] = [await pair!.status('a', true), await pair!.status('b', true)]
      return a.guest.memoryDigest === b.guest.memoryDigest && a.clients === 0 && b
    })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    // A new secondary makes the survivor capture all of its memory again.
    await pair.launch('a', 'primary')
    await pair.until('a', 'protected')
    expect((await pair.status('b', true)).guest.memoryDigest).toBe(committed.guest.memoryDigest)
    expect((await pair.status('a', true)).guest.memoryDigest).toBe(committed.guest.memoryDigest)
  })
})
