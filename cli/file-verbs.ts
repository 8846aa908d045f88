// Verbs that work on files alone. They start without what the others need, statecharts, sockets and
// schemas, which takes three times as long as starting Node does: whoever checks many small files
// would wait for nothing else.

import { Command } from 'commander'
import { EXIT_CODES } from './exit-codes.ts'
import { report } from './report.ts'

type AddVerb = (program: Command) => void

export const FILE_VERBS: Readonly<Record<string, () => Promise<AddVerb>>> = {
  verify: async () => (await import('./verify.ts')).addVerify,
}

/** As `main` of program.ts, for one of FILE_VERBS. */
export async function runFileVerb(add: AddVerb, argv: readonly string[]): Promise<number> {
  const program = new Command('colo').exitOverride().configureOutput({ outputError: () => {} })
  add(program)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? EXIT_CODES.done.code)
  } catch (error) {
    return report(error)
  }
}
