// What a guest is told of the time, and its random bytes, in real pairs: a client never sees the time go back, however
// the wall clocks of the hosts differ and whichever side dies; and what colo.random writes survives as all memory does.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { LineClient } from './clients.ts'
import { Pair, until, type Name, type PairOptions } from './pair.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const MOVED = join(ROOT, 'dist', 'test', 'integration', 'moved-wall-clock.js')
const HOUR_MS = 3_600_000

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

/** Both hosts have wall clocks that are off by so much, and that a test may set. */
class MovedPair {
  readonly pair: Pair

  private constructor(prepared: Pair) {
    this.pair = prepared
  }

  static async protected(
    offsets: Readonly<Record<Name, number>>,
    options: PairOptions = {},
  ): Promise<MovedPair> {
    pair = await Pair.prepare({ guest: 'clock', ...options })
    const moved = new MovedPair(pair)
    for (const name of ['a', 'b'] as const) moved.set(name, offsets[name])
    await moved.launch('a', 'primary')
    await moved.launch('b', 'secondary')
    await pair.until('a', 'protected')
    await pair.until('b', 'protected')
    return moved
  }

  /** The wall clock of `name`, against that of this machine. */
  set(name: Name, offsetMs: number): void {
    writeFileSync(this.#file(name), String(offsetMs))
  }

  async launch(name: Name, told: 'primary' | 'secondary'): Promise<void> {
    const preload = pathToFileURL(MOVED)
    preload.searchParams.set('file', this.#file(name))
    await this.pair.launch(name, told, {}, ['env', `NODE_OPTIONS=--import=${preload.href}`])
  }

  /** Kills `dying`; the client is one of the survivor. */
  async failover(dying: Name, survivor: Name): Promise<Asker> {
    await this.pair.signal(dying, 'SIGKILL')
    await this.pair.until(survivor, 'standalone')
    return Asker.of(this.pair, survivor)
  }

  #file(name: Name): string {
    return join(this.pair.dir, `${name}.offset`)
  }
}

interface Told {
  readonly time: number
  /** When it was asked and answered, by the clock of the test. */
  readonly askedMs: number
  readonly toldMs: number
}

/** A client that asks one thing at a time. */
class Asker {
  readonly client: LineClient

  constructor(client: LineClient) {
    this.client = client
  }

  static async of(subject: Pair, name: Name): Promise<Asker> {
    return new Asker(await LineClient.to(subject.clients[name]))
  }

  async ask(line: string): Promise<string> {
    const known = this.client.lines.length
    this.client.say(line)
    await until(`an answer to ${line}`, () => this.client.lines.length > known)
    return this.client.lines[known]
  }

  async time(line = 'now'): Promise<number> {
    const answer = await this.ask(line)
    if (!/^\d+$/.test(answer)) throw new Error(`${line} was answered by ${answer}, no whole number`)
    return Number(answer)
  }

  async told(): Promise<Told> {
    const askedMs = performance.now()
    const time = await this.time()
    return { time, askedMs, toldMs: performance.now() }
  }
}

/** What passed for the guest is what passed for the test; both are whole milliseconds at their ends. */
function expectRate(from: Told, to: Told): void {
  const passed = to.time - from.time
  expect(passed).toBeGreaterThan(to.askedMs - from.toldMs - 2)
  expect(passed).toBeLessThan(to.toldMs - from.askedMs + 2)
}

/** Asks until so much time has passed for the guest; the times never go back. Returns the last. */
async function timePasses(asker: Asker, ms: number): Promise<Told> {
  const first = await asker.told()
  let last = first
  while (last.time - first.time < ms) {
    const next = await asker.told()
    expect(next.time).toBeGreaterThanOrEqual(last.time)
    expectRate(last, next)
    last = next
  }
  expectRate(first, last)
  return last
}

describe('the time of a guest', () => {
  it('is the wall clock of its host, and one value in a call', async () => {
    const { pair: subject } = await MovedPair.protected({ a: 0, b: 0 })
    const asker = await Asker.of(subject, 'a')
    const before = Date.now()
    const time = await asker.time()
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(Date.now())
    const [begin, end] = (await asker.ask('twice')).split(' ')
    expect(end).toBe(begin)
    const [started, opened] = [await asker.time('started'), await asker.time('opened')]
    expect(started).toBeGreaterThan(before - 60_000)
    expect(opened).toBeGreaterThanOrEqual(started)
    expect(opened).toBeLessThanOrEqual(time)
  })

  it('never goes back over two failovers, though the survivor of the first is an hour behind', async () => {
    const moved = await MovedPair.protected({ a: 0, b: -HOUR_MS })
    const first = await Asker.of(moved.pair, 'a')
    const onA = await timePasses(first, 100)

    const second = await moved.failover('a', 'b')
    // colo_close of the first client, which was called when the guest was loaded.
    const closed = await second.time('closed')
    expect(closed).toBeGreaterThanOrEqual(onA.time)
    const onB = await timePasses(second, 100)
    expect(onB.time).toBeGreaterThan(closed)
    // It did not jump to any wall clock: what has passed for the guest is at most what has passed for the test.
    expect(onB.time - onA.time).toBeLessThan(onB.toldMs - onA.askedMs + 2)

    await moved.launch('a', 'primary')
    await moved.pair.until('b', 'protected')
    await moved.pair.until('a', 'protected')
    const last = await second.told()
    const third = await moved.failover('b', 'a')
    const back = await third.told()
    expect(back.time).toBeGreaterThanOrEqual(last.time)
    await timePasses(third, 50)
  })

  it('loses no more than the failover takes, when the guest had not asked for long', async () => {
    const delays = { periodMs: 50 }
    const moved = await MovedPair.protected({ a: 0, b: -HOUR_MS }, { delays })
    const first = await Asker.of(moved.pair, 'a')
    const asked = await first.told()
    const { checkpoints: before } = await moved.pair.status('a')
    await until('time to pass without a question', () => performance.now() - asked.toldMs > 1500)
    const passed = (await moved.pair.status('a')).checkpoints
    expect(passed).toBeGreaterThan(before)
    await until('a checkpoint of now', async () => {
      return (await moved.pair.status('a')).checkpoints > passed + 1
    })
    const second = await moved.failover('a', 'b')
    expect(await second.time()).toBeGreaterThanOrEqual(asked.time + 1500)
  })

  it('goes on at the right rate when the wall clock is set back, and follows when it is set ahead', async () => {
    const moved = await MovedPair.protected({ a: 0, b: 0 })
    const asker = await Asker.of(moved.pair, 'a')
    const before = await asker.told()
    moved.set('a', -HOUR_MS)
    const behind = await timePasses(asker, 50)
    expectRate(before, behind)
    moved.set('a', HOUR_MS)
    const ahead = await timePasses(asker, 50)
    expect(ahead.time).toBeGreaterThanOrEqual(before.time + HOUR_MS)
    moved.set('a', 0)
    const stays = await timePasses(asker, 50)
    expectRate(ahead, stays)
    const survivor = await moved.failover('a', 'b')
    expect(await survivor.time()).toBeGreaterThanOrEqual(stays.time)
  })

  it('begins anew in a cold guest', async () => {
    const moved = await MovedPair.protected({ a: HOUR_MS, b: 0 })
    const first = await Asker.of(moved.pair, 'a')
    const ahead = await first.time()
    expect(ahead).toBeGreaterThanOrEqual(Date.now() + HOUR_MS - 60_000)
    await moved.pair.signal('a', 'SIGKILL')
    await moved.pair.until('b', 'standalone')
    await moved.pair.signal('b', 'SIGKILL')
    moved.set('a', 0)
    await moved.launch('a', 'primary')
    await moved.launch('b', 'secondary')
    const halted = await moved.pair.until('a', 'halted')
    const { holder } = halted.register!
    const owner = holder.kind === 'alone' ? holder.owner : ''
    const words = { token: moved.pair.token(), owner, ownerIsDead: true }
    const operator = await moved.pair.client('a')
    await operator.ask('start-over', { ...words, generation: halted.generation })
    await moved.pair.until('a', 'protected')
    const second = await Asker.of(moved.pair, 'a')
    const time = await second.time()
    expect(time).toBeGreaterThanOrEqual(await second.time('started'))
    expect(time).toBeLessThanOrEqual(Date.now())
  })
})

describe('random bytes', () => {
  it('are others in each call, on each side and in each guest', async () => {
    pair = await Pair.protected({ guest: 'clock' })
    const first = await Asker.of(pair, 'a')
    const seen = [await first.ask('random 16'), await first.ask('random 16')]
    const two = await first.ask('pair 16 16')
    seen.push(two.slice(0, 32), two.slice(32))
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    const second = await Asker.of(pair, 'b')
    seen.push(await second.ask('random 16'), await second.ask('random 16'))
    for (const bytes of seen) expect(bytes).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(seen).size).toBe(6)
  })

  it.each(['log', 'check', 'scan'] as const)(
    'that cross page borders survive with the memory: --dirty %s',
    async (dirty) => {
      pair = await Pair.protected({ guest: 'clock', dirty })
      const first = await Asker.of(pair, 'a')
      // One checkpoint each, since the answer leaves with it: few pages, and pages that were not dirty before.
      for (const length of [100_000, 6, 5, 4096, 4102, 70_000, 8]) {
        expect(await first.ask(`across ${length}`)).toBe('ok')
      }
      const sum = await first.ask('sum')
      expect(await first.ask('across 10')).toBe('ok')
      expect(await first.ask('sum')).not.toBe(sum)
      const last = await first.ask('sum')
      expect((await pair.status('a')).failovers).toBe(0)
      await pair.signal('a', 'SIGKILL')
      await pair.until('b', 'standalone')
      expect(await (await Asker.of(pair, 'b')).ask('sum')).toBe(last)
    },
  )
})

describe('an address out of bounds is a trap, and the other side goes on', () => {
  it.each([
    ['of colo.random, far away', 'raw 4294967295 2', 'colo.random: 2 bytes at 4294967295 are out'],
    ['of colo.random, at the end', 'raw 262140 5', 'colo.random: 5 bytes at 262140 are out'],
    ['of colo.random, a length below 0', 'raw 0 4294967295', 'colo.random: 4294967295 bytes at 0'],
    ['of colo.output', 'say 262140 5', 'colo.output: 5 bytes at 262140 are out'],
  ])('%s', async (_, line, why) => {
    pair = await Pair.protected({ guest: 'clock' })
    const first = await Asker.of(pair, 'a')
    const time = await first.time()
    expect(await first.ask('raw 262140 4')).toBe('ok')
    first.client.say(line)
    await until('b to be the primary', async () => {
      const status = await pair!.status('b')
      return status.role === 'primary' && status.state === 'protected'
    })
    expect(pair.log('a')).toContain(`trap: ${why}`)
    expect(await (await Asker.of(pair, 'b')).time()).toBeGreaterThanOrEqual(time)
  })
})
