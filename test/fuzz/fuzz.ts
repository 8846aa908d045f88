// The fuzzer as a command: `node dist/test/fuzz/fuzz.js --format xen --seconds 600`. Inputs that show something new
// are kept below dist/fuzz/, and the next run goes on from there, unless it is to begin anew (--fresh).

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../checkout.ts'
import { corpusSeeds } from './corpus-seeds.ts'
import { FORMATS, FORMAT_NAMES, isFormat, targetOf } from './formats.ts'
import { runFuzzer, type FuzzOptions } from './fuzz-run.ts'
import type { FuzzReport } from './fuzz-thread.ts'

const { values } = parseArgs({
  options: {
    format: { type: 'string', multiple: true, default: [...FORMAT_NAMES] },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    fresh: { type: 'boolean', default: false },
    'input-ms': { type: 'string', default: '10000' },
    // Another target than those of the formats: its file, below dist/.
    target: { type: 'string' },
  },
})

const lineOf = ({ executions, branches, branchesOfSeeds, features, kept }: FuzzReport) =>
  `${executions} runs, ${branches} branches (${branchesOfSeeds} by the seeds), ` +
  `${features} features, ${kept} kept`

function codesOf({ outcomes }: FuzzReport): string {
  const most = [...outcomes].toSorted((a, b) => b[1] - a[1])
  return most.map(([code, count]) => `${code} ${count}`).join(', ')
}

const percent = (part: number) => `${Math.round(part * 100)} %`

function tell(name: string, folder: string, report: FuzzReport): void {
  const { steps, allocated, finding } = report
  console.log(`${name}: of its bounds ${percent(steps)} of steps, ${percent(allocated)} of memory`)
  console.log(`${name}: ${codesOf(report)}`)
  if (finding !== undefined) {
    const file = join(folder, 'finding')
    writeFileSync(file, finding.bytes)
    console.log(`${name}: FINDING ${finding.message}\n${finding.stack}`)
    console.log(`${name}: its input, ${finding.bytes.length} bytes, is ${file}`)
  }
  console.log(`${name}: ${lineOf(report)}, ${finding === undefined ? 'no finding' : '1 finding'}`)
}

/** Whether nothing was found. */
async function fuzz(name: string, file: string, seeds: readonly Uint8Array[]): Promise<boolean> {
  const folder = join(ROOT, 'dist', 'fuzz', values.fresh ? `${name}-fresh` : name)
  mkdirSync(folder, { recursive: true })
  const began = Date.now()
  const options: FuzzOptions = {
    dist: join(ROOT, 'dist'),
    file,
    folder,
    keeps: !values.fresh,
    inputMsMax: Number(values['input-ms']),
    seed: Number(values.seed),
    seconds: Number(values.seconds),
    runs: Number(values.runs),
    seeds,
  }
  const progress = (report: FuzzReport) => {
    console.log(`${name}: ${Math.round((Date.now() - began) / 1000)} s, ${lineOf(report)}`)
  }
  console.log(`${name}: seed ${options.seed}, ${options.seconds} s, ${options.runs} runs at most`)
  const report = await runFuzzer({ ...options, progress })
  tell(name, folder, report)
  return report.finding === undefined
}

async function main(): Promise<number> {
  if (values.target !== undefined) {
    return (await fuzz(basename(values.target, '.js'), values.target, [])) ? 0 : 1
  }
  let isSound = true
  for (const format of values.format) {
    if (!isFormat(format)) {
      console.error(`there is no format ${format}; there are ${FORMAT_NAMES.join(', ')}`)
      return 2
    }
    const { ask } = await targetOf(format)
    const isClean = await fuzz(format, FORMATS[format], corpusSeeds(format, ask))
    isSound &&= isClean
  }
  return isSound ? 0 : 1
}

process.exitCode = await main()
