#!/usr/bin/env node
// The command `colo`.

import { runQuickly } from './quick-verbs.ts'

const argv = process.argv.slice(2)
process.exitCode = (await runQuickly(argv)) ?? (await runWhole())

async function runWhole(): Promise<number> {
  // Whoever read this has heard enough (`colo status | head -1`).
  process.stdout.on('error', () => process.exit())
  return (await import('./program.ts')).main(argv)
}
