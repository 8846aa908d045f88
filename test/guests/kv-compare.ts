// The key-value guest beside a redis-server: the same random commands on the same connections, one after the other,
// and the same replies byte for byte. `node dist/test/guests/kv-compare.js --seed 1 --commands 50000` runs the guest's
// module in this process; the test runs it in a daemon too.

import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { OTHER_WORDS } from './kv-differences.ts'
import { KEYS, RandomCommands } from './kv-random.ts'
import { ModuleSubject, PortSubject, type Subject } from './kv-subjects.ts'
import { RedisServer } from './redis-server.ts'
import type { Reply } from './resp.ts'

export interface Report {
  commands: number
  errors: number
  /** Transactions, and the commands in them. */
  executed: number
  inTransactions: number
  abandoned: number
  expired: number
  /** Keys that may have expired at different times on the two sides, as the machine stood still: not compared. */
  stalls: number
}

const CONNECTIONS = [1, 2, 3, 4]
/** The clocks of the two are read at different times, and a busy machine stands still in between. */
const TOLERANCE_MS = 5000
const SHORT_TTL_MS = 40
/** Steps between two keys that expire, on average. */
const STEPS_PER_EXPIRY = 150

const isError = (reply: Reply | undefined) => typeof reply === 'string' && reply.startsWith('-')
const show = (reply: Reply | undefined) => JSON.stringify(reply) ?? 'nothing'

function near(here: Reply | undefined, there: Reply | undefined, toleranceMs: number): boolean {
  if (here === there) return true
  if (typeof here !== 'string' || typeof there !== 'string') return false
  const [mine, theirs] = [Number(here.slice(1)), Number(there.slice(1))]
  return mine >= 0 && theirs >= 0 && Math.abs(mine - theirs) <= toleranceMs
}

/** In an order, and without the key that has no letters, which no pattern of Redis but `*` finds. */
function sorted(reply: Reply | undefined): string {
  if (!Array.isArray(reply)) return show(reply)
  const keys = (reply as string[]).filter((key) => key !== '$')
  return show(keys.toSorted((a, b) => (a < b ? -1 : 1)))
}

/** Whether two replies to one command are the same, as far as they have to be. */
function agree(
  words: readonly string[],
  here: Reply | undefined,
  there: Reply | undefined,
): boolean {
  if (show(here) === show(there)) return true
  if (isError(here) || isError(there) || here === undefined || there === undefined) return false
  const name = (words[0] ?? '').toUpperCase()
  const both = `${name} ${(words[1] ?? '').toUpperCase()}`
  if (OTHER_WORDS.has(name) || OTHER_WORDS.has(both)) return typeof here === typeof there
  if (name === 'PTTL') return near(here, there, TOLERANCE_MS)
  if (name === 'TTL') return near(here, there, TOLERANCE_MS / 1000)
  if (name === 'TIME') return near(here?.[0], there?.[0], TOLERANCE_MS / 1000)
  if (name === 'KEYS') return sorted(here) === sorted(there)
  if (name === 'SCAN') return here?.[0] === there?.[0] && sorted(here?.[1]) === sorted(there?.[1])
  return false
}

class Comparison {
  readonly #here: Subject
  readonly #there: Subject
  readonly #random: RandomCommands
  /** What each connection has queued; undefined: it has no transaction. */
  readonly #queues = new Map<number, string[][]>()
  readonly #log: string[] = []
  readonly report: Report = {
    commands: 0,
    errors: 0,
    executed: 0,
    inTransactions: 0,
    abandoned: 0,
    expired: 0,
    stalls: 0,
  }

  constructor(here: Subject, there: Subject, seed: number) {
    this.#here = here
    this.#there = there
    this.#random = new RandomCommands(seed)
  }

  async start(): Promise<void> {
    for (const conn of CONNECTIONS) await this.#reopen(conn)
    await this.#both(1, ['FLUSHALL'])
  }

  async step(): Promise<void> {
    if (this.#random.chance(STEPS_PER_EXPIRY) === 0) return this.#letExpire()
    const conn = this.#random.pick(CONNECTIONS)
    // A connection that is lost takes its transaction and its watches along.
    if (this.#random.chance(400) === 0) return this.#reopen(conn)
    await this.#both(conn, this.#random.next())
  }

  async #reopen(conn: number): Promise<void> {
    this.#queues.delete(conn)
    await this.#here.reopen(conn)
    await this.#there.reopen(conn)
  }

  /** Asks both sides, compares, and keeps up with the transaction of the connection. */
  async #both(conn: number, words: readonly string[]): Promise<Reply | undefined> {
    const here = await this.#here.ask(conn, words)
    const there = await this.#there.ask(conn, words)
    this.report.commands++
    if (isError(here)) this.report.errors++
    this.#log.push(`${conn}> ${show(words)} ${show(here)}`)
    const queue = this.#queues.get(conn) ?? []
    const name = (words[0] ?? '').toUpperCase()
    const isExec = name === 'EXEC' && Array.isArray(here) && Array.isArray(there)
    const isSame = isExec
      ? queue.length === here.length &&
        queue.length === there.length &&
        queue.every((each, i) => agree(each, here[i], there[i]))
      : agree(words, here, there)
    if (!isSame) this.#fail(conn, words, here, there)
    if (here === '+QUEUED') this.#queues.set(conn, [...queue, [...words]])
    else if (name === 'MULTI' && here === '+OK') this.#queues.set(conn, [])
    else if (name === 'EXEC' || here === '+RESET') this.#queues.delete(conn)
    else if (name === 'DISCARD' && here === '+OK') this.#queues.delete(conn)
    if (isExec) this.report.executed++
    if (isExec) this.report.inTransactions += queue.length
    if (name === 'EXEC' && here === '*-1') this.report.abandoned++
    if (name === 'QUIT' && here === '+OK') await this.#reopen(conn)
    return here
  }

  #fail(
    conn: number,
    words: readonly string[],
    here: Reply | undefined,
    there: Reply | undefined,
  ): void {
    const before = this.#log.slice(-60).join('\n')
    const queue = this.#queues.get(conn)
    throw new Error(
      `${before}\n\n${conn}> ${show(words)}\nthe guest: ${show(here)}\nredis:     ${show(there)}` +
        (queue ? `\nqueued: ${queue.map((each) => show(each)).join('\n')}` : ''),
    )
  }

  /** A key expires on both sides; who watches it, and what is done with it afterwards, is chosen at random. */
  async #letExpire(): Promise<void> {
    const [owner, watcher] = [this.#random.pick(CONNECTIONS), this.#random.pick(CONNECTIONS)]
    if (this.#queues.has(owner) || this.#queues.has(watcher)) return
    const key = this.#random.pick(KEYS)
    const began = Date.now()
    await this.#giveShortLife(owner, key)
    const isWatched = this.#random.chance(2) === 0
    if (isWatched) {
      await this.#both(watcher, ['WATCH', key])
      await this.#both(watcher, ['MULTI'])
      await this.#both(watcher, ['PING'])
    }
    if (Date.now() - began >= SHORT_TTL_MS) return this.#startOver()
    const set = Date.now()
    await this.#passed(set + SHORT_TTL_MS)
    this.report.expired++
    if (isWatched) {
      if (this.#random.chance(2) === 0) await this.#touchExpired(owner === watcher ? 0 : owner, key)
      await this.#both(watcher, ['EXEC'])
    } else await this.#touchExpired(owner, key)
    // Redis keeps a key that nobody has looked for, and counts it.
    const other = CONNECTIONS.find((conn) => !this.#queues.has(conn))
    if (other !== undefined) await this.#both(other, ['EXISTS', key])
    else await this.#startOver()
  }

  async #giveShortLife(conn: number, key: string): Promise<void> {
    const ms = String(SHORT_TTL_MS)
    const how = this.#random.chance(4)
    if (how === 0) await this.#both(conn, ['SET', key, '5', 'PX', ms])
    if (how === 1) await this.#both(conn, ['PSETEX', key, ms, '5'])
    if (how === 2) await this.#both(conn, ['SET', key, '5'])
    if (how === 2) await this.#both(conn, ['PEXPIRE', key, ms])
    if (how === 3) await this.#both(conn, ['SETEX', key, '900', '5'])
    if (how === 3) await this.#both(conn, ['PEXPIRE', key, ms, 'LT'])
  }

  async #touchExpired(conn: number, key: string): Promise<void> {
    if (conn === 0) return
    const words = this.#random.pick([
      ['GET', key],
      ['INCR', key],
      ['APPEND', key, 'x'],
      ['SETNX', key, 'x'],
      ['RENAME', key, 'z'],
      ['DEL', key],
      ['PERSIST', key],
      ['PTTL', key],
      ['EXPIRE', key, '1000'],
      ['SET', key, 'x', 'XX'],
      ['SET', key, 'x', 'KEEPTTL'],
      ['SET', key, 'x', 'GET'],
      ['GETDEL', key],
      ['KEYS', '*'],
      ['SCAN', '0', 'COUNT', '1000'],
      ['MSET', key, 'x', 'other', 'y'],
      ['FLUSHALL'],
    ])
    await this.#both(conn, words)
  }

  /** Until the clocks of both sides are past this time. */
  async #passed(ms: number): Promise<void> {
    const asker = 9
    await this.#here.reopen(asker)
    await this.#there.reopen(asker)
    for (const side of [this.#here, this.#there]) {
      for (;;) {
        const reply = await side.ask(asker, ['TIME'])
        const [seconds, micros] = Array.isArray(reply) ? (reply as string[]) : []
        const now = Number(seconds?.slice(1)) * 1000 + Number(micros?.slice(1)) / 1000
        if (now >= ms + 2) break
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
  }

  async #startOver(): Promise<void> {
    this.report.stalls++
    for (const conn of CONNECTIONS) await this.#reopen(conn)
    await this.#both(1, ['FLUSHALL'])
  }
}

/** Throws at the first reply that differs; `goesOn` is asked before each step. */
export async function compare(
  here: Subject,
  there: Subject,
  seed: number,
  goesOn: (report: Report) => boolean,
): Promise<Report> {
  const comparison = new Comparison(here, there, seed)
  await comparison.start()
  while (goesOn(comparison.report)) await comparison.step()
  return comparison.report
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      commands: { type: 'string', default: '50000' },
    },
  })
  const redis = await RedisServer.start()
  try {
    for (let i = 0; i < Number(values.seeds); i++) {
      const seed = Number(values.seed) + i
      const there = new PortSubject(redis.port)
      const most = Number(values.commands)
      const report = await compare(new ModuleSubject(), there, seed, (so) => so.commands < most)
      there.close()
      console.log(`seed ${seed}: equal replies`, JSON.stringify(report))
    }
  } finally {
    await redis.stop()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
