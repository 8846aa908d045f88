// Verbs that need neither a daemon nor a side start without loading what those need: statecharts, sockets,
// schemas, and the library that reads arguments take three times as long to load as Node takes to start. What
// these verbs cannot do in plain words, and whatever goes wrong, is the matter of the whole program.

import { readPlainly, type Verb } from '../terminal/verb-table.ts'

const QUICK_VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  convert: async () => (await import('./convert.ts')).convertVerb,
  decode: async () => (await import('./decode.ts')).decodeVerb,
  flatten: async () => (await import('./flatten.ts')).flattenVerb,
  verify: async () => (await import('./verify.ts')).verifyVerb,
}

/** The exit code, or undefined if the whole program is to run instead. */
export async function runQuickly(argv: readonly string[]): Promise<number | undefined> {
  const [name = '', ...rest] = argv
  const verb = Object.hasOwn(QUICK_VERBS, name) ? await QUICK_VERBS[name]?.() : undefined
  if (verb === undefined) return undefined
  const plain = readPlainly(verb, rest)
  if (plain === undefined) return undefined
  try {
    return (await verb.run(plain.operands, plain.options)) ?? Number(process.exitCode ?? 0)
  } catch (error) {
    return (await import('../terminal/report.ts')).report(error)
  }
}
