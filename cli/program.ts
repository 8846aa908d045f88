// The command line as a whole: its verbs, what its help teaches, and how every failure becomes one line and an
// exit code.

import { Command } from 'commander'
import { ERRORS, type ErrorCode } from '../shared/protocol/errors.ts'
import { STATES } from '../shared/protocol/states.ts'
import { VerbFailed } from '../network/control-client.ts'
import { EXIT_CODES, oneLine } from '../terminal/exit-codes.ts'
import { addAdopt } from './adopt.ts'
import { addClean } from './clean.ts'
import { addCompletion } from './completion.ts'
import { convertVerb } from './convert.ts'
import { decodeVerb } from './decode.ts'
import { addFailback } from './failback.ts'
import { addFailover } from './failover.ts'
import { flattenVerb } from './flatten.ts'
import { addGuest } from './guest.ts'
import { addHistory } from './history.ts'
import { addPause } from './pause.ts'
import { addPrimary } from './primary.ts'
import { describePairs } from '../terminal/help.ts'
import { report } from '../terminal/report.ts'
import { addResume } from './resume.ts'
import { addSecondary } from './secondary.ts'
import { addStartOver } from './start-over.ts'
import { addStatus } from './status.ts'
import { addStop } from './stop.ts'
import { addUp } from './up.ts'
import { addVerb } from './verb-command.ts'
import { addVersion } from './version.ts'
import { verifyVerb } from './verify.ts'
import { addWatch } from './watch.ts'

const TOUR = [
  ['colo up', 'start a pair around the shipped guest, a key-value service'],
  ['redis-cli -p 6380 incr visits', 'it is a service, real clients talk to it'],
  ['colo status', 'look: role, state, generation, checkpoints of both sides'],
  ['kill -9 <pid of the primary>', 'the other side goes on ...'],
  ['redis-cli -p 6381 get visits', '... with every write that was acknowledged'],
  ['colo secondary ...', 'bring the side back (colo up --respawn does), and watch it being seeded'],
  ['colo history', 'what every checkpoint and every failover took'],
] as const

const describeRows = (title: string, rows: readonly (readonly [string, string])[]) =>
  `\n${title}\n${describePairs(rows)}`

const VERBS_IN_ORDER = [
  addUp,
  addPrimary,
  addSecondary,
  addStatus,
  addWatch,
  addHistory,
  addFailover,
  addFailback,
  addPause,
  addResume,
  addStartOver,
  addAdopt,
  addStop,
  addClean,
  addGuest,
  addCompletion,
  addVersion,
] as const

const FILE_VERBS = [flattenVerb, verifyVerb, decodeVerb, convertVerb] as const

export function makeProgram(): Command {
  const program = new Command('colo')
    .description(
      'Two daemons keep a guest alive through the death of its host: the primary runs it, again and ' +
        'again sends what changed to the secondary, and lets its output leave only then.',
    )
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  for (const add of VERBS_IN_ORDER) add(program)
  for (const verb of FILE_VERBS) addVerb(program, verb)
  const states = Object.entries(STATES)
  const codes = Object.values(EXIT_CODES).map(
    ({ code, meaning }) => [String(code), meaning] as const,
  )
  program
    .addHelpText('after', describeRows('A tour of five minutes:', TOUR))
    .addHelpText('after', describeRows('States of a side:', states))
    .addHelpText('after', describeRows('Exit codes:', codes))
    .addHelpText('after', '\ncolo VERB --help says when one uses a verb, with an example.')
  return program
}

/** As report.ts has it; a side that refused has a code and a way out of its own. */
function reportVerb(error: unknown): number {
  if (!(error instanceof VerbFailed)) return report(error)
  const row = ERRORS[error.code as ErrorCode] as (typeof ERRORS)[ErrorCode] | undefined
  const text = oneLine(error)
  report(error, row === undefined ? text : `${text} (${row.wayOut})`)
  return EXIT_CODES.refused.code
}

export async function main(argv: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? EXIT_CODES.done.code)
  } catch (error) {
    return reportVerb(error)
  }
}
