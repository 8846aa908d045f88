// What the dirty log makes of the pause: the same guest in two pairs of real daemons, one that keeps a log and
// one that scans, in turn, and a plain C scan-and-copy beside them. The log's pause must grow with the dirty
// pages and not with the memory, so a larger guest stands here as well.

import { alternate, compileReference, median, runAlone } from './compare.ts'
import { beside, type Benchmark, type Figure, type Goal, type Plan } from './figure.ts'
import { dirtyCheckpoints, dirtyPagesOf, withStressPair, type StressPair } from './stress-pair.ts'

interface Share {
  readonly permille: number
  /** Of the C scan. */
  readonly most?: number
  /** Of our scan. */
  readonly mostOfScan?: number
  readonly checkpoints: number
}

interface Size {
  readonly mb: number
  readonly shares: readonly Share[]
}

const sizes: readonly Size[] = [
  {
    mb: 64,
    shares: [
      { permille: 1, most: 0.1, checkpoints: 30 },
      { permille: 10, most: 0.15, checkpoints: 30 },
      { permille: 100, most: 0.5, checkpoints: 30 },
      { permille: 1000, mostOfScan: 1, checkpoints: 20 },
    ],
  },
  { mb: 256, shares: [{ permille: 10, most: 0.1, checkpoints: 15 }] },
]

const atMost = (limit: number): Goal => ({ sign: '<=', limit, of: 'ratio' })

interface Pairs {
  readonly log: StressPair
  readonly scan: StressPair
  readonly c: string | undefined
}

async function pauseMs(stress: StressPair, { permille, checkpoints }: Share): Promise<number> {
  const rows = await dirtyCheckpoints(stress, permille, checkpoints)
  return median(rows.map(({ pause }) => pause))
}

async function measure(pairs: Pairs, share: Share, { rounds, tell }: Plan): Promise<Figure[]> {
  const { log, scan, c } = pairs
  const { mb } = log
  const { permille, most, mostOfScan, checkpoints } = share
  const part = dirtyPagesOf(permille, mb) / (mb * 256)
  const cMs = async (program: string) => (await runAlone([program], [mb, part, checkpoints])).p50
  const dirty = `${permille / 10} % of ${mb} MiB dirty`
  const results = await alternate(rounds, {
    log: async () => {
      const ms = await pauseMs(log, share)
      tell(`${dirty}: pause ${ms.toFixed(3)} ms`)
      return ms
    },
    scan: async () => pauseMs(scan, share),
    ...(c === undefined ? {} : { c: async () => cMs(c), cAgain: async () => cMs(c) }),
  })
  const given = { part: 'h', name: `${dirty}: pause with the log`, unit: 'ms' }
  const goals = {
    c: most === undefined ? undefined : atMost(most),
    scan: mostOfScan === undefined ? undefined : atMost(mostOfScan),
  }
  const inC = c && { name: 'scan-and-copy in C', values: results.c, again: results.cAgain }
  return [
    beside({ ...given, goal: goals.c }, results.log, inC === '' ? undefined : inC),
    beside({ ...given, goal: goals.scan }, results.log, {
      name: 'our scan',
      values: results.scan,
    }),
  ]
}

export const logPause: Benchmark = async (plan) => {
  const c = await compileReference('scan-and-copy', plan.tell)
  const figures: Figure[] = []
  for (const { mb, shares } of sizes) {
    await withStressPair(
      async (log) =>
        withStressPair(
          async (scan) => {
            for (const share of shares) {
              await pauseMs(log, share) // for the compilers in Node
              await pauseMs(scan, share)
              figures.push(...(await measure({ log, scan, c }, share, plan)))
            }
          },
          { mb, dirty: 'scan' },
        ),
      { mb, dirty: 'log' },
    )
  }
  return figures
}
