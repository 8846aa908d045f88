#!/usr/bin/env node
// The command `colo`.

import { FILE_VERBS, runFileVerb } from './file-verbs.ts'

// Whoever read this has heard enough (`colo status | head -1`).
process.stdout.on('error', () => process.exit())

const argv = process.argv.slice(2)
const fileVerb = FILE_VERBS[argv[0] ?? '']
process.exitCode =
  fileVerb === undefined
    ? await (await import('./program.ts')).main(argv)
    : await runFileVerb(await fileVerb(), argv)
