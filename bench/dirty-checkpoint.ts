// Checkpoints of a 64 MiB guest of which 1, 10 and 100 % is dirty, through the real daemons. The pause of the
// guest stands beside a plain C scan-and-copy, which is the least that finding dirty pages by comparing can
// cost; the cycle (request to loaded) beside a plain C pair and beside a pair as one would first write it in
// Node. Three programs, one pair of daemons for all rounds.

import {
  alternate,
  compileReference,
  median,
  nodeReference,
  runAlone,
  runReference,
  type Program,
} from './compare.ts'
import { beside, type Benchmark, type Figure, type Goal } from './figure.ts'
import {
  dirtyCheckpoints,
  dirtyPagesOf,
  ramMb,
  ramPages,
  withStressPair,
  type StressPair,
} from './stress-pair.ts'

interface Share {
  readonly permille: number
  readonly pauseMost: number
  readonly cycleMost: number
  readonly naiveLeast: number
  readonly checkpoints: number
}

const shares: readonly Share[] = [
  { permille: 10, pauseMost: 1.6, cycleMost: 1.5, naiveLeast: 1.4, checkpoints: 30 },
  { permille: 100, pauseMost: 1.6, cycleMost: 1.5, naiveLeast: 2.2, checkpoints: 30 },
  { permille: 1000, pauseMost: 1.6, cycleMost: 1.6, naiveLeast: 2.5, checkpoints: 20 },
]

const atMost = (limit: number): Goal => ({ sign: '<=', limit, of: 'ratio' })
const atLeast = (limit: number): Goal => ({ sign: '>=', limit, of: 'ratio' })

/** The references dirty the same number of pages of as much RAM. */
const shareOf = (permille: number) => dirtyPagesOf(permille) / ramPages

interface Programs {
  readonly scan: string | undefined
  readonly pair: string | undefined
  readonly naive: Program
}

function referenceArms({ scan, pair, naive }: Programs, { permille, checkpoints }: Share) {
  const share = shareOf(permille)
  const pairMs = async (program: Program) =>
    (await runReference(program, [ramMb], [ramMb, share, checkpoints])).p50
  const scanMs = async (program: string) =>
    (await runAlone([program], [ramMb, share, checkpoints])).p50
  return {
    ...(scan === undefined
      ? {}
      : { scan: async () => scanMs(scan), scanAgain: async () => scanMs(scan) }),
    ...(pair === undefined
      ? {}
      : { pair: async () => pairMs([pair]), pairAgain: async () => pairMs([pair]) }),
    naive: async () => pairMs(naive),
  }
}

/** A cycle and a pause come of the same checkpoints, but an arm gives one number: the other is kept aside. */
async function measure(
  stress: StressPair,
  share: Share,
  programs: Programs,
  rounds: number,
  tell: (text: string) => void,
): Promise<Figure[]> {
  const pauses: number[] = []
  const results = await alternate(rounds, {
    ours: async () => {
      const rows = await dirtyCheckpoints(stress, share.permille, share.checkpoints)
      const pause = median(rows.map((row) => row.pause))
      const cycle = median(rows.map((row) => row.cycle))
      pauses.push(pause)
      tell(
        `${share.permille / 10} % dirty: pause ${pause.toFixed(2)}, cycle ${cycle.toFixed(2)} ms`,
      )
      return cycle
    },
    ...referenceArms(programs, share),
  })
  const { ours, scan, scanAgain, pair, pairAgain, naive } = results as Record<
    string,
    number[] | undefined
  > & { ours: number[]; naive: number[] }
  const dirty = `${share.permille / 10} % of ${ramMb} MiB dirty`
  const given = (name: string, goal: Goal) => ({
    part: 'b',
    name: `${dirty}: ${name}`,
    unit: 'ms',
    goal,
  })
  return [
    beside(
      given('pause', atMost(share.pauseMost)),
      pauses,
      scan && { name: 'scan-and-copy in C', values: scan, again: scanAgain },
    ),
    beside(
      given('cycle', atMost(share.cycleMost)),
      ours,
      pair && { name: 'pair in C', values: pair, again: pairAgain },
    ),
    beside(given('cycle', atLeast(share.naiveLeast)), ours, {
      name: 'naive pair in Node',
      values: naive,
      inverse: true,
    }),
  ]
}

export const dirtyCheckpoint: Benchmark = async ({ rounds, tell }) => {
  const programs = {
    scan: await compileReference('scan-and-copy', tell),
    pair: await compileReference('checkpoint-pair', tell),
    naive: nodeReference('naive-pair'),
  }
  return withStressPair(async (stress) => {
    const figures: Figure[] = []
    for (const share of shares) {
      await dirtyCheckpoints(stress, share.permille, share.checkpoints) // for the compilers in Node
      figures.push(...(await measure(stress, share, programs, rounds, tell)))
    }
    return figures
  })
}
