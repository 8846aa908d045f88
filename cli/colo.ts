#!/usr/bin/env node
// The command `colo`.

import { main } from './program.ts'

// Whoever read this has heard enough (`colo status | head -1`).
process.stdout.on('error', () => process.exit())

process.exitCode = await main(process.argv.slice(2))
