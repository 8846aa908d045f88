// Verbs that need neither a daemon nor a side start without loading what those need: reading a stream takes
// less time than loading all of `colo`. Whatever goes wrong is explained by the whole program.

import { Command } from 'commander'

const QUICK_VERBS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  convert: async () => (await import('./convert.ts')).addConvert,
  decode: async () => (await import('./decode.ts')).addDecode,
}

/** The exit code, or undefined if the first argument is no quick verb. */
export async function runQuickly(argv: readonly string[]): Promise<number | undefined> {
  const [verb = ''] = argv
  if (!Object.hasOwn(QUICK_VERBS, verb)) return undefined
  const add = await QUICK_VERBS[verb]?.()
  const program = new Command('colo').exitOverride().configureOutput({ outputError: () => {} })
  add?.(program)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return (await import('./program.ts')).report(error)
  }
}
