// Whether anything is allocated for a page: what the heaps of a daemon's threads grow by in a checkpoint of 1 %
// and in one of 100 %, divided by the pages between the two. The smallest object that could stand for a page
// has 16 bytes. Young generations are made so large that nothing is collected while it is counted, since only
// then growth is what was allocated; where it happened all the same, the count is made again.

import { once } from 'node:events'
import { join } from 'node:path'

import { median } from './compare.ts'
import type { SideName } from './daemons.ts'
import { absolute, type Benchmark, type Plan } from './figure.ts'
import { dirtyCheckpoints, dirtyPagesOf, withStressPair, type StressPair } from './stress-pair.ts'
import type { ThreadHeap } from './thread-heap.ts'

const checkpoints = 10
const fewPermille = 10
const allPermille = 1000
const attemptsMax = 4
const smallestObjectBytes = 16
const youngMb = 64

const nodeArguments = [
  `--max-semi-space-size=${youngMb}`,
  `--min-semi-space-size=${youngMb}`,
  `--import=${join(import.meta.dirname, 'thread-heap.js')}`,
]

async function heapsOf({ pair }: StressPair, name: SideName): Promise<ThreadHeap[]> {
  const child = pair.process(name)
  const answer = once(child, 'message')
  child.send('heaps')
  const [heaps] = (await answer) as [ThreadHeap[]]
  return heaps
}

const sum = (heaps: readonly ThreadHeap[], what: 'usedBytes' | 'collections') =>
  heaps.reduce((total, heap) => total + heap[what], 0)

const kb = (bytes: readonly number[]) => Math.round(median(bytes) / 1000)

/** Of all threads of that side, a checkpoint; undefined if that can't be told. */
async function growthOnce(stress: StressPair, name: SideName, permille: number) {
  const before = await heapsOf(stress, name)
  await dirtyCheckpoints(stress, permille, checkpoints)
  const after = await heapsOf(stress, name)
  if (after.length !== before.length) return undefined // a thread was too busy to answer in time
  if (sum(after, 'collections') > sum(before, 'collections')) return undefined
  return (sum(after, 'usedBytes') - sum(before, 'usedBytes')) / checkpoints
}

async function growth(stress: StressPair, name: SideName, permille: number): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const bytes = await growthOnce(stress, name, permille)
    if (bytes !== undefined) return bytes
  }
  throw new Error(`in each of ${attemptsMax} attempts something was collected`)
}

async function figureOf(stress: StressPair, role: 'primary' | 'secondary', plan: Plan) {
  const few: number[] = []
  const all: number[] = []
  for (let round = 0; round < plan.rounds; round++) {
    few.push(await growth(stress, stress.pair[role], fewPermille))
    all.push(await growth(stress, stress.pair[role], allPermille))
    plan.tell(`${role}: ${kb(few.slice(round))} and ${kb(all.slice(round))} kB a checkpoint`)
  }
  const pages = dirtyPagesOf(allPermille) - dirtyPagesOf(fewPermille)
  return absolute(
    {
      part: 'f',
      name: `allocated by the ${role} for a dirty page`,
      unit: 'bytes',
      goal: { sign: '<=', limit: smallestObjectBytes, of: 'ours' },
      note: `${kb(few)} kB a checkpoint at 1 % dirty, ${kb(all)} kB at 100 %`,
    },
    all.map((bytes, round) => (bytes - few[round]) / pages),
  )
}

export const allocation: Benchmark = async (plan) =>
  withStressPair(
    async (stress) => {
      await dirtyCheckpoints(stress, allPermille, checkpoints)
      return [await figureOf(stress, 'primary', plan), await figureOf(stress, 'secondary', plan)]
    },
    { nodeArguments },
  )
