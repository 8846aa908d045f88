// The shipped guest beside a redis-server of the machine, with random commands: as a module in this process, where it
// is fast, and in a daemon.

import { afterEach, describe, expect, it } from 'vitest'
import { compare } from '../guests/kv-compare.ts'
import { ModuleSubject, PortSubject } from '../guests/kv-subjects.ts'
import { HAS_REDIS, REDIS_MISSING, RedisServer } from '../guests/redis-server.ts'
import { Pair } from './pair.ts'

const SECONDS = Number(process.env.COLO_MODEL_SECONDS ?? 3)
const COMMANDS_OF_A_SEED = 50_000
const COMMANDS_IN_A_DAEMON = 3000

let pair: Pair | undefined
let redis: RedisServer | undefined
afterEach(async () => {
  await pair?.dispose()
  await redis?.stop()
  pair = undefined
  redis = undefined
})

describe.skipIf(!HAS_REDIS)(`the key-value guest beside Redis 7 (else ${REDIS_MISSING})`, () => {
  it(
    `answers alike for ${SECONDS} s`,
    async () => {
      redis = await RedisServer.start()
      const ends = performance.now() + 1000 * SECONDS
      for (let seed = 1; performance.now() < ends; seed++) {
        const there = new PortSubject(redis.port)
        const report = await compare(new ModuleSubject(), there, seed, ({ commands }) => {
          return commands < COMMANDS_OF_A_SEED && performance.now() < ends
        })
        there.close()
        expect(report.commands).toBeGreaterThan(0)
      }
    },
    60_000 + 1000 * SECONDS,
  )

  it('answers alike in a daemon that stands alone', async () => {
    redis = await RedisServer.start()
    pair = await Pair.protected()
    await pair.signal('b', 'SIGKILL')
    await pair.until('a', 'standalone')
    const [here, there] = [new PortSubject(pair.clients.a), new PortSubject(redis.port)]
    const report = await compare(here, there, 1001, (so) => so.commands < COMMANDS_IN_A_DAEMON)
    expect(report.executed).toBeGreaterThan(0)
    expect(report.expired).toBeGreaterThan(0)
    here.close()
    there.close()
  })
})
