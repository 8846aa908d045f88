#!/usr/bin/env node
// The command `colo`.

import { EXIT_CODES } from '../terminal/exit-codes.ts'
import { closeGoneTerminalsAtExit } from '../terminal/gone-terminals.ts'
import { runQuickly } from './quick-verbs.ts'
import { sayAside, watchStandardOutput } from '../terminal/standard-streams.ts'

const argv = process.argv.slice(2)
closeGoneTerminalsAtExit()
start().catch((error: unknown) => {
  sayAside(`colo: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(EXIT_CODES.usage.code)
})

/** A quick verb has written all it has to say when it returns: what the engine still compiles is not waited for. */
async function start(): Promise<void> {
  const code = await runQuickly(argv)
  if (code !== undefined) process.exit(code)
  watchStandardOutput()
  process.exitCode = await (await import('./program.ts')).main(argv)
}
