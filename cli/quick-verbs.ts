// Verbs that need neither a daemon nor a side start without loading what those need: reading a stream takes
// less time than loading all of `colo`. What they cannot do in plain words, and whatever goes wrong, is the
// matter of the whole program.

/** Each returns false if the arguments are not plain. */
const QUICK_VERBS: Readonly<
  Record<string, () => Promise<(argv: readonly string[]) => Promise<boolean>>>
> = {
  convert: async () => (await import('./convert.ts')).convertQuickly,
  decode: async () => (await import('./decode.ts')).decodeQuickly,
}

/** The exit code, or undefined if the whole program is to run instead. */
export async function runQuickly(argv: readonly string[]): Promise<number | undefined> {
  const [verb = '', ...rest] = argv
  if (!Object.hasOwn(QUICK_VERBS, verb)) return undefined
  const run = await QUICK_VERBS[verb]?.()
  try {
    const isDone = await run?.(rest)
    return isDone ? Number(process.exitCode ?? 0) : undefined
  } catch (error) {
    return (await import('./program.ts')).report(error)
  }
}
