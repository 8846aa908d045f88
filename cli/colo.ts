#!/usr/bin/env node
// The command `colo`.

import { runQuickly } from './quick-verbs.ts'
import { watchStandardOutput } from './standard-streams.ts'

const argv = process.argv.slice(2)
process.exitCode = (await runQuickly(argv)) ?? (await runWhole())

async function runWhole(): Promise<number> {
  watchStandardOutput()
  return (await import('./program.ts')).main(argv)
}
