// How fast a full copy reaches a new secondary, beside a plain C stream of as many pages. The capture of all
// pages is part of a seed's cycle and the stream has nothing like it, so both readings are given: the whole
// cycle, and what is left of it once the capture has ended (sending begins during it, so that this is shorter
// than the transfer and flatters ours). The goal is held against the whole, which is the stricter one.
//
// Two kinds of seeds: of a secondary that joins anew after it was given up, which is what compares with the C
// programs, since those have warmed up as well; and of a process that has just started, whose memory has never
// been touched, as after SIGKILL and restart.

import { alternate, compileReference, runReference } from './compare.ts'
import { sleep, type DaemonPair } from './daemons.ts'
import { beside, type Benchmark, type Goal } from './figure.ts'
import { ramMb, regionPages, withStressPair } from './stress-pair.ts'

const streams = 10
const pageBytes = 4096
const mbBytes = 1024 * 1024
const msPerS = 1000
const rowsMax = 1000
const attemptsMax = 200
const waitMs = 10

interface Seed {
  readonly whole: number
  readonly afterCapture: number
}

/**
 * MiB/s of the seed that `change` brings about. The pair counts as protected once the seed is committed, and
 * its row comes when it is applied as well, a moment later.
 */
async function seedAfter(pair: DaemonPair, change: () => Promise<void>): Promise<Seed> {
  const { epoch } = await pair.status(pair.primary)
  await change()
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const rows = await pair.checkpoints(rowsMax, epoch)
    const seed = rows.find(({ trigger }) => trigger === 'seed')
    if (seed === undefined) {
      await sleep(waitMs)
      continue
    }
    if (seed.pages < regionPages) throw new Error(`only ${seed.pages} pages were seeded`)
    const mb = (seed.pages * pageBytes) / mbBytes
    return {
      whole: (mb * msPerS) / seed.cycle,
      afterCapture: (mb * msPerS) / (seed.cycle - seed.stages.request),
    }
  }
  throw new Error('there was no seed')
}

async function restartSecondary(pair: DaemonPair): Promise<void> {
  const name = pair.secondary
  await pair.kill(name)
  await pair.launch(name, 'secondary')
  await pair.protected()
}

async function streamMbPerS(program: string): Promise<number> {
  const { mbPerS } = await runReference([program], [ramMb], [ramMb, streams])
  if (mbPerS === undefined) throw new Error('seed-stream gave no throughput')
  return mbPerS
}

export const seeding: Benchmark = async ({ rounds, tell }) => {
  const program = await compileReference('seed-stream', tell)
  const fresh: Seed[] = []
  const anew: Seed[] = []
  const results = await withStressPair(async ({ pair }) => {
    const seed = async (kind: string, seeds: Seed[], change: () => Promise<void>) => {
      const made = await seedAfter(pair, change)
      seeds.push(made)
      tell(`seed, ${kind}: ${made.whole.toFixed(0)} MiB/s`)
      return made.whole
    }
    await pair.rejoin() // for the compilers in Node
    const reference: Record<string, () => Promise<number>> =
      program === undefined
        ? {}
        : { stream: async () => streamMbPerS(program), again: async () => streamMbPerS(program) }
    const first = await alternate(rounds, {
      anew: async () => seed('session anew', anew, async () => pair.rejoin()),
      ...reference,
    })
    const second = await alternate(rounds, {
      fresh: async () => seed('fresh process', fresh, async () => restartSecondary(pair)),
      ...reference,
    })
    return { first, second }
  })
  const goal: Goal = { sign: '>=', limit: 0.7, of: 'ratio' }
  const line = (name: string, values: number[], of: Record<string, number[]>, judged = true) =>
    beside(
      { part: 'c', name: `seed: ${name}`, unit: 'MiB/s', goal: judged ? goal : undefined },
      values,
      program === undefined
        ? undefined
        : { name: 'stream in C', values: of.stream, again: of.again },
    )
  const { first, second } = results
  return [
    line('session anew, whole', first.anew, first),
    line(
      'session anew, past the capture',
      anew.map((seed) => seed.afterCapture),
      first,
      false,
    ),
    line('fresh process, whole', second.fresh, second, false),
    line(
      'fresh process, past the capture',
      fresh.map((seed) => seed.afterCapture),
      second,
      false,
    ),
  ]
}
