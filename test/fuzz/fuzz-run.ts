// One run of the fuzzer: a thread, and who watches it for inputs that never end and for memory.

import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FuzzOrder, FuzzReport } from './fuzz-thread.ts'
import { instrumentTree } from './instrumented-tree.ts'

export interface FuzzOptions {
  /** The folder of compiled code, and the target's file in it. */
  readonly dist: string
  readonly file: string
  readonly seed: number
  readonly seconds: number
  readonly runs: number
  /** Below it lie the instrumented code and the inputs that are kept. */
  readonly folder: string
  readonly keeps: boolean
  /** How long one input may take before it is taken for endless. */
  readonly inputMsMax: number
  readonly seeds: readonly Uint8Array[]
  readonly progress?: (report: FuzzReport) => void
}

const INPUT_BYTES_MAX = 1024 * 1024
const HEAP_MIB_MAX = 512
const RESIDENT_BYTES_MAX = 900 * 1024 * 1024
const LOOK_MS = 250

/** Ends with the last report. An input that hangs or takes too much memory is its finding. */
export async function runFuzzer(options: FuzzOptions): Promise<FuzzReport> {
  const { dist, file, folder, progress, keeps, ...rest } = options
  const tree = instrumentTree(dist, file, join(folder, 'code'))
  const counts = new Int32Array(new SharedArrayBuffer(8))
  const input = new Uint8Array(new SharedArrayBuffer(INPUT_BYTES_MAX))
  const workerData: FuzzOrder = {
    ...rest,
    ...tree,
    counts,
    input,
    folder: keeps ? join(folder, 'inputs') : '',
  }
  const thread = new Worker(new URL(import.meta.resolve('./fuzz-thread.js')), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  })
  let last: FuzzReport | undefined
  const underWay = (message: string, stack = ''): FuzzReport => ({
    ...(last ?? nothing),
    isDone: true,
    finding: { message, stack, bytes: input.slice(0, counts[1]) },
  })
  return new Promise((resolve, reject) => {
    const end = (report: FuzzReport) => {
      clearInterval(watch)
      thread.terminate().then(() => resolve(report), reject)
    }
    const watch = watchThread(counts, options.inputMsMax, (message) => end(underWay(message)))
    thread.on('message', (report: FuzzReport) => {
      last = report
      if (report.isDone) end(report)
      else progress?.(report)
    })
    thread.on('error', (error) => end(underWay(String(error), error.stack)))
  })
}

const nothing: FuzzReport = {
  isDone: false,
  executions: 0,
  branches: 0,
  branchesOfSeeds: 0,
  features: 0,
  kept: 0,
  outcomes: new Map(),
  steps: 0,
  allocated: 0,
}

/** Complains when one input takes too long, or the process too much. */
function watchThread(
  counts: Int32Array,
  inputMsMax: number,
  complain: (message: string) => void,
): NodeJS.Timeout {
  let before = 0
  let since = Date.now()
  return setInterval(() => {
    const begun = Atomics.load(counts, 0)
    if (begun === 0 || begun !== before) since = Date.now()
    before = begun
    if (Date.now() - since > inputMsMax) complain(`no end after ${inputMsMax} ms`)
    const { rss } = process.memoryUsage()
    if (rss > RESIDENT_BYTES_MAX) complain(`${rss} bytes of memory are in use`)
  }, LOOK_MS)
}
