// What a daemon needs of the host's memory, all of its guest's 64 MiB dirty: guest, shadow or state, and the
// arena are three times the RAM, and 120 MB are for Node and everything else.

import { absolute, type Benchmark } from './figure.ts'
import { dirtyCheckpoints, ramMb, withStressPair } from './stress-pair.ts'

const checkpoints = 20
const allPermille = 1000
const mbBytes = 1e6
const limit = Math.floor((3 * ramMb * 1024 * 1024) / mbBytes) + 120

export const memory: Benchmark = async ({ rounds, tell }) =>
  withStressPair(async (stress) => {
    const { pair } = stress
    const mb: Record<string, number[]> = { primary: [], secondary: [] }
    for (let round = 0; round < rounds; round++) {
      await dirtyCheckpoints(stress, allPermille, checkpoints)
      for (const role of ['primary', 'secondary'] as const) {
        mb[role].push((await pair.status(pair[role])).rssBytes / mbBytes)
      }
      tell(`resident: ${mb.primary.at(-1)?.toFixed(0)} and ${mb.secondary.at(-1)?.toFixed(0)} MB`)
    }
    return ['primary', 'secondary'].map((role) =>
      absolute(
        {
          part: 'e',
          name: `resident memory of the ${role}, 100 % of ${ramMb} MiB dirty`,
          unit: 'MB',
          goal: { sign: '<=', limit, of: 'ours' },
        },
        mb[role],
      ),
    )
  })
