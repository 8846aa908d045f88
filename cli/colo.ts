#!/usr/bin/env node
// The command `colo`.

// Whoever read this has heard enough (`colo status | head -1`).
process.stdout.on('error', () => process.exit())

const argv = process.argv.slice(2)

async function run(): Promise<number> {
  if (argv[0] === 'verify') {
    const { quickVerify } = await import('./verify/quick-verify.ts')
    const code = await quickVerify(argv.slice(1))
    if (code !== undefined) return code
  }
  const { main } = await import('./program.ts')
  return main(argv)
}

process.exitCode = await run()
