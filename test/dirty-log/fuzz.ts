// Differential fuzzing of the rewriter: modules from a seed, each run beside its rewritten twin, and some beside
// the module that a scan runs.
//
//   node dist/test/dirty-log/fuzz.js [--modules 2000] [--seed 1]

import { parseArgs } from 'node:util'

import { completeModule } from '../../keepers/wasm/dirty-log/complete-module.ts'
import { OPERATIONS, type Operations } from '../../formats/wasm/operations.ts'
import { isRewritten, rewriteBy } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { Chance } from '../simulation/chance.ts'
import {
  type CompareOptions,
  compareTwins,
  Difference,
  emptyTally,
  type Rewritten,
  type Tally,
} from './differential.ts'
import { WebAssembly } from './engine.ts'
import { type MadeModule, makeModule } from './module-maker.ts'

export interface FuzzOptions extends CompareOptions {
  readonly operations?: Operations
}

const MEMORY_BYTES_MAX = 2 ** 32
const SCANNED = 0.3

/** The module as it runs under a scan. */
function scanned({ bytes, maxMemoryBytes = MEMORY_BYTES_MAX }: MadeModule): Rewritten {
  return {
    bytes: completeModule(bytes, maxMemoryBytes),
    tableBytes: 0,
    memoryBytesMax: maxMemoryBytes,
  }
}

/** @throws Difference, which names the seed */
export function fuzz(
  seed: number,
  modules: number,
  { operations = OPERATIONS, ...options }: FuzzOptions = {},
): Tally {
  const tally = emptyTally()
  for (let i = 0; i < modules; i++) {
    const chance = new Chance(seed + i)
    const made = makeModule(chance)
    if (!WebAssembly.validate(made.bytes)) throw new Error(`seed ${seed + i}: not a valid module`)
    const log = rewriteBy(operations, made.bytes, made.maxMemoryBytes)
    try {
      if (!isRewritten(log)) throw new Difference(`refused: ${log.refused}`)
      if (!WebAssembly.validate(log.bytes)) throw new Difference('not valid once it is rewritten')
      compareTwins(made, log, chance, tally, options)
      if (chance.happens(SCANNED)) compareTwins(made, scanned(made), chance, tally, options)
    } catch (error) {
      if (!(error instanceof Difference)) throw error
      throw new Difference(`seed ${seed + i}: ${error.message}`, { cause: error })
    }
  }
  return tally
}

function main(): void {
  const { values } = parseArgs({
    options: {
      modules: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const began = performance.now()
  const tally = fuzz(Number(values.seed), Number(values.modules))
  const seconds = (performance.now() - began) / 1000
  console.log(JSON.stringify({ ...tally, seconds: Number(seconds.toFixed(1)) }))
}

if (process.argv[1]?.endsWith('fuzz.js')) main()
