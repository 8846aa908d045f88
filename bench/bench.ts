// The benchmarks: ours beside reference programs, in turn, at least 7 rounds. Progress goes to stderr, the
// table or the JSON to stdout. A goal that is missed is said and is no failure: figures depend on the machine.
// Each part runs in a process of its own: what one leaves in memory would make the processes of the next start
// slower, and would count as theirs.
//
//   npm run bench [-- --format json] [-- --only a,b] [-- --rounds N] [-- --quick]

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'

import { allocation } from './allocation.ts'
import { berOfPages } from './ber.ts'
import { decode } from './decode.ts'
import { dirtyCheckpoint } from './dirty-checkpoint.ts'
import { dirtyLog } from './dirty-log.ts'
import { emptyCheckpoint } from './empty-checkpoint.ts'
import { failoverTime } from './failover-time.ts'
import type { Benchmark, Figure } from './figure.ts'
import { guestWork } from './guest-work.ts'
import { logPause } from './log-pause.ts'
import { memory } from './memory.ts'
import { jsonOf, tableOf, type Machine } from './report.ts'
import { seeding } from './seeding.ts'
import { verifying } from './verify.ts'

interface Part {
  readonly what: string
  readonly run: Benchmark
}

const parts: Readonly<Record<string, Part>> = {
  a: { what: 'an empty checkpoint against a bare ping-pong', run: emptyCheckpoint },
  b: { what: 'pause and cycle at 1, 10 and 100 % dirty', run: dirtyCheckpoint },
  c: { what: 'seeding against a plain stream', run: seeding },
  d: { what: 'from the death of the primary to the first answer', run: failoverTime },
  e: { what: 'resident memory of the daemons', run: memory },
  f: { what: 'allocation for a page', run: allocation },
  g: { what: 'what the marks of the dirty log cost', run: dirtyLog },
  h: { what: 'the pause with the dirty log, against scans, through the daemons', run: logPause },
  i: { what: 'BER of guest memory against asn1js', run: berOfPages },
  j: { what: "decoding a stream beside QEMU's own script", run: decode },
  k: { what: "colo verify against Xen's verify-stream-v2", run: verifying },
  l: { what: 'what a guest gets done with the dirty log', run: guestWork },
}

const roundsDefault = 7
const roundsQuick = 3
const roundsMax = 100
const busyLoad = 0.7

function usage(complaint?: string): never {
  const list = Object.entries(parts).map(([letter, { what }]) => `    ${letter}  ${what}`)
  const text = `usage: npm run bench -- [--format text|json] [--only LETTERS] [--rounds N] [--quick]

  --only a,b,...  these parts only:
${list.join('\n')}
  --rounds N      rounds of each comparison, 1 to ${roundsMax}; ${roundsDefault} if not given
  --quick         ${roundsQuick} rounds: a smoke test, whose figures are worth little`
  if (complaint === undefined) {
    console.log(text)
    process.exit(0)
  }
  console.error(`${complaint}\n${text}`)
  return process.exit(2)
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        format: { type: 'string', default: 'text' },
        only: { type: 'string', default: Object.keys(parts).join(',') },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const { format, quick, help } = values
    if (help) return usage()
    if (format !== 'text' && format !== 'json') return usage(`no format ${format}`)
    const only = values.only.split(',')
    const unknown = only.find((letter) => parts[letter] === undefined)
    if (unknown !== undefined) return usage(`there is no part ${JSON.stringify(unknown)}`)
    const rounds = Number(values.rounds ?? (quick ? roundsQuick : roundsDefault))
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > roundsMax) {
      return usage(`${values.rounds} is no number of rounds`)
    }
    return { format, only, rounds, quick }
  } catch (error) {
    return usage((error as Error).message)
  }
}

const { format, only, rounds, quick } = readArguments()
// By exit(), so that the daemons and their folders go as well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const [load] = loadavg()
const machine: Machine = {
  node: process.version,
  cpus: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  load,
}
if (load > busyLoad && process.send === undefined) {
  console.error(`the machine is busy (load ${load.toFixed(1)}): these figures will be worth little`)
}

/** The figures of a part, from a process that runs nothing else. */
async function alone(letter: string): Promise<Figure[]> {
  const args = ['--only', letter, '--rounds', String(rounds), ...(quick ? ['--quick'] : [])]
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
  const child = fork(import.meta.filename, args, { stdio: [...stdio], serialization: 'advanced' })
  process.once('exit', () => child.kill())
  const given = new Promise<Figure[]>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Figure[]))
    child.once('exit', (code) => reject(new Error(`part ${letter} ended with exit code ${code}`)))
  })
  const itsFigures = await given
  child.disconnect()
  return itsFigures
}

const began = performance.now()
const figures: Figure[] = []
for (const letter of only) {
  const { what, run } = parts[letter]
  if (only.length === 1) console.error(`(${letter}) ${what}, ${rounds} rounds`)
  const tell = (text: string) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(0)
    console.error(`${seconds.padStart(5)} s  (${letter}) ${text}`)
  }
  figures.push(...(only.length === 1 ? await run({ rounds, quick, tell }) : await alone(letter)))
}
if (process.send !== undefined) {
  process.send(figures)
  await once(process, 'disconnect')
  process.exit(0)
}
console.log(format === 'json' ? jsonOf(machine, figures) : tableOf(figures))
process.exit(0)
