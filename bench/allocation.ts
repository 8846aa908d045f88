// Whether anything is allocated for a page: what the heaps of a daemon's threads grow by in a checkpoint of 1 %
// and in one of 100 %, divided by the pages between the two. The smallest object that could stand for a page
// has 16 bytes. Young generations are made so large that nothing is collected while it is counted, since only
// then growth is what was allocated; how often it happened all the same is in the note.

import { once } from 'node:events'
import { join } from 'node:path'

import { median } from './compare.ts'
import type { SideName } from './daemons.ts'
import { absolute, type Benchmark } from './figure.ts'
import { dirtyCheckpoints, dirtyPagesOf, withStressPair, type StressPair } from './stress-pair.ts'
import type { ThreadHeap } from './thread-heap.ts'

const checkpoints = 10
const fewPermille = 10
const allPermille = 1000
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

const sum = (heaps: readonly ThreadHeap[], what: 'usedBytes' | 'externalBytes' | 'collections') =>
  heaps.reduce((total, heap) => total + heap[what], 0)

interface Growth {
  readonly bytes: number
  readonly externalBytes: number
  readonly collections: number
}

/** Of all threads of that side, a checkpoint. */
async function growth(stress: StressPair, name: SideName, permille: number): Promise<Growth> {
  const before = await heapsOf(stress, name)
  await dirtyCheckpoints(stress, permille, checkpoints)
  const after = await heapsOf(stress, name)
  const of = (what: 'usedBytes' | 'externalBytes') =>
    (sum(after, what) - sum(before, what)) / checkpoints
  const collections = sum(after, 'collections') - sum(before, 'collections')
  return { bytes: of('usedBytes'), externalBytes: of('externalBytes'), collections }
}

export const allocation: Benchmark = async ({ rounds, tell }) =>
  withStressPair(
    async (stress) => {
      await dirtyCheckpoints(stress, allPermille, checkpoints)
      const figures = []
      for (const role of ['primary', 'secondary'] as const) {
        const few: Growth[] = []
        const all: Growth[] = []
        for (let round = 0; round < rounds; round++) {
          few.push(await growth(stress, stress.pair[role], fewPermille))
          all.push(await growth(stress, stress.pair[role], allPermille))
          tell(`${role}: heap grows ${few[round].bytes} and ${all[round].bytes} bytes a checkpoint`)
        }
        const pages = dirtyPagesOf(allPermille) - dirtyPagesOf(fewPermille)
        const perPage = all.map((growing, round) => (growing.bytes - few[round].bytes) / pages)
        const kb = (of: readonly Growth[]) =>
          Math.round(median(of.map((growing) => growing.bytes)) / 1000)
        const collections = [...few, ...all].reduce((total, one) => total + one.collections, 0)
        figures.push(
          absolute(
            {
              part: 'f',
              name: `allocated by the ${role} for a dirty page`,
              unit: 'bytes',
              goal: { sign: '<=', limit: smallestObjectBytes, of: 'ours' },
              note: `${kb(few)} kB a checkpoint at 1 %, ${kb(all)} kB at 100 %; ${collections} collections`,
            },
            perPage,
          ),
        )
      }
      return figures
    },
    { nodeArguments },
  )
