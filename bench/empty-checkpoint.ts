// What a checkpoint costs when there is nothing to send: a 64 KiB guest, the worker as shipped, one round after
// the other, beside the same five messages bare, in Node and in C. The difference to Node's own ping-pong is
// all that ours adds: two statecharts, records, the hop into the guest's thread and back, statistics.

import {
  alternate,
  compileReference,
  median,
  nodeReference,
  runReference,
  type Program,
} from './compare.ts'
import { DaemonPair, sleep } from './daemons.ts'
import { beside, type Benchmark, type Plan } from './figure.ts'

const memoryBytes = 65_536
const atOnceMs = 1e-7
/** V8 optimizes for seconds: what is measured earlier depends on when it began. */
const warmUpMs = 6000
const rows = 1000
const pings = 5000

/** A pair of its own a round: one that checkpoints back to back would disturb the references. */
async function cycleMs({ quick }: Plan): Promise<number> {
  const options = { guest: 'counter', memoryBytes, delays: { periodMs: atOnceMs } }
  return DaemonPair.with(options, async (pair) => {
    await sleep(quick ? warmUpMs / 2 : warmUpMs)
    const seen = await pair.checkpoints(rows)
    const cycles = seen.filter(({ trigger }) => trigger === 'period').map(({ cycle }) => cycle)
    if (cycles.length < rows / 2) throw new Error(`only ${cycles.length} checkpoints were made`)
    return median(cycles)
  })
}

async function pingMs(program: Program): Promise<number> {
  return (await runReference(program, [], [pings])).p50
}

const usOf = (ms: readonly number[]) => ms.map((value) => value * 1000)

export const emptyCheckpoint: Benchmark = async (plan) => {
  const c = await compileReference('ping-pong', plan.tell)
  const node = nodeReference('ping-pong')
  const inC: Record<string, () => Promise<number>> =
    c === undefined ? {} : { c: async () => pingMs([c]), cAgain: async () => pingMs([c]) }
  const results = await alternate(plan.rounds, {
    ours: async () => {
      const ms = await cycleMs(plan)
      plan.tell(`empty checkpoint ${ms.toFixed(3)} ms`)
      return ms
    },
    node: async () => pingMs(node),
    nodeAgain: async () => pingMs(node),
    ...inC,
  })
  const ours = usOf(results.ours)
  const name = 'empty checkpoint, request to loaded'
  const given = { part: 'a', name, unit: 'us' }
  const goal = { sign: '<=', limit: 2, of: 'ratio' } as const
  const values = usOf(results.node)
  return [
    beside({ ...given, goal }, ours, {
      name: 'ping-pong in Node',
      values,
      again: usOf(results.nodeAgain),
    }),
    beside(
      given,
      ours,
      c === undefined
        ? undefined
        : { name: 'ping-pong in C', values: usOf(results.c), again: usOf(results.cAgain) },
    ),
  ]
}
