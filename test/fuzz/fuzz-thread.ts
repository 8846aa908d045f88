// The thread that fuzzes: what never ends in it or takes too much memory ends with the thread, and the input under
// way lies in memory that its starter sees.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { Finding, FuzzLoop } from './fuzz-loop.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import type { Constant } from './instrument.ts'
import { Probes } from './probes.ts'

/** What the thread is given. */
export interface FuzzOrder {
  readonly url: string
  readonly branches: number
  readonly constants: readonly Constant[]
  readonly seed: number
  readonly seconds: number
  /** Behind the seeds. */
  readonly runs: number
  /** Where inputs that are kept are written, and read from at the next start. Empty: nowhere. */
  readonly folder: string
  readonly seeds: readonly Uint8Array[]
  /** How many inputs were begun, and the length of the one under way. */
  readonly counts: Int32Array
  readonly input: Uint8Array
}

/** What it says now and then, and at the end. */
export interface FuzzReport {
  readonly isDone: boolean
  readonly executions: number
  readonly branches: number
  /** Taken by the seeds alone. */
  readonly branchesOfSeeds: number
  readonly features: number
  readonly kept: number
  readonly outcomes: ReadonlyMap<string, number>
  readonly steps: number
  readonly allocated: number
  readonly finding?: {
    readonly message: string
    readonly stack: string
    readonly bytes: Uint8Array
  }
}

const REPORT_MS = 2000

export async function fuzz(order: FuzzOrder, tell: (report: FuzzReport) => void): Promise<void> {
  const probes = new Probes(order.branches)
  Object.assign(globalThis, { __probes: probes.names })
  const module = (await import(order.url)) as { target: FuzzTarget }
  const { counts, input, folder } = order
  const loop = new FuzzLoop(module.target, probes, order.constants, order.seed, {
    watch: (bytes) => {
      input.set(bytes)
      counts[1] = bytes.length
      Atomics.add(counts, 0, 1)
    },
    keep: (bytes) => {
      if (folder !== '') writeFileSync(join(folder, nameOf(bytes)), bytes)
    },
  })
  let branchesOfSeeds = 0
  const begin = Date.now()
  const report = (isDone: boolean, finding?: FuzzReport['finding']): FuzzReport => ({
    isDone,
    executions: loop.executions,
    branches: loop.kept.branches,
    branchesOfSeeds,
    features: loop.kept.features,
    kept: loop.kept.all.length,
    outcomes: loop.outcomes,
    steps: loop.steps,
    allocated: loop.allocated,
    ...(finding && { finding }),
  })
  try {
    for (const bytes of [...module.target.seeds(), ...order.seeds]) loop.seed(bytes)
    branchesOfSeeds = loop.kept.branches
    for (const bytes of inputsIn(folder)) loop.seed(bytes, true)
    goOn(loop, order, begin, () => tell(report(false)))
    tell(report(true))
  } catch (error) {
    if (!(error instanceof Finding)) throw error
    const { cause } = error
    const stack = cause instanceof Error ? (cause.stack ?? '') : ''
    tell(report(true, { message: error.message, stack, bytes: error.bytes }))
  }
}

function goOn(loop: FuzzLoop, { seconds, runs }: FuzzOrder, begin: number, tell: () => void): void {
  let told = begin
  const last = loop.executions + runs
  for (;;) {
    const now = Date.now()
    if (now - begin >= seconds * 1000) return
    if (now - told >= REPORT_MS) {
      told = now
      tell()
    }
    for (let i = 0; i < 32; i++) {
      if (loop.executions >= last) return
      loop.next()
    }
  }
}

function nameOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

function inputsIn(folder: string): Uint8Array[] {
  if (folder === '') return []
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder).map((name) => new Uint8Array(readFileSync(join(folder, name))))
}

if (parentPort !== null) {
  const port = parentPort
  await fuzz(workerData as FuzzOrder, (report) => port.postMessage(report))
}
