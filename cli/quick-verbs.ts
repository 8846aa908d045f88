// Verbs that need neither a daemon nor a side start without loading what those need: statecharts, sockets,
// schemas, and the library that reads arguments take three times as long to load as Node takes to start. What
// these verbs cannot do in plain words, and whatever goes wrong, is the matter of the whole program.

/** The exit code, or undefined if the arguments are not plain. */
type QuickVerb = (argv: readonly string[]) => Promise<number | undefined>

const QUICK_VERBS: Readonly<Record<string, () => Promise<QuickVerb>>> = {
  convert: async () => (await import('./convert.ts')).convertQuickly,
  decode: async () => (await import('./decode.ts')).decodeQuickly,
  verify: async () => (await import('./verify/quick-verify.ts')).quickVerify,
}

/** The exit code, or undefined if the whole program is to run instead. */
export async function runQuickly(argv: readonly string[]): Promise<number | undefined> {
  const [verb = '', ...rest] = argv
  if (!Object.hasOwn(QUICK_VERBS, verb)) return undefined
  const run = await QUICK_VERBS[verb]?.()
  try {
    return await run?.(rest)
  } catch (error) {
    return (await import('./report.ts')).report(error)
  }
}
