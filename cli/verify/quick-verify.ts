// `colo verify` without what the other verbs need: statecharts, sockets, schemas, and the library
// that reads arguments. Loading those takes three times as long as starting Node does, and whoever
// verifies many streams would wait for little else. What is not plain, a mistake or a wish for help,
// is left to the ordinary way, which says the same and more.

import { parseArgs } from 'node:util'
import { verify } from './verification.ts'
import { VERIFY_OPTIONS } from './verify-options.ts'
import type { VerifyOptions } from './verify-options.ts'

interface Asked {
  readonly input: string | undefined
  readonly options: VerifyOptions
}

/** Undefined for what is not plain. */
function readArguments(args: readonly string[]): Asked | undefined {
  const rows = Object.entries(VERIFY_OPTIONS)
  const config = Object.fromEntries(
    rows.map(([name, { short, value }]) => {
      const type: 'string' | 'boolean' = value === undefined ? 'boolean' : 'string'
      return [name, short === undefined ? { type } : { type, short }]
    }),
  )
  try {
    const given = parseArgs({ args: [...args], options: config, allowPositionals: true })
    if (given.positionals.length > 1) return undefined
    const values = new Map(Object.entries(given.values))
    const isWrong = rows.some(([name, { choices }]) => {
      const value = values.get(name)
      return choices !== undefined && value !== undefined && !choices.includes(String(value))
    })
    if (isWrong) return undefined
    const text = (name: string) => {
      const value = values.get(name)
      return value === undefined ? undefined : String(value)
    }
    const options = {
      form: text('form') ?? 'auto',
      format: text('format') ?? 'text',
      likeXen: values.has('like-xen'),
      withForward: text('with-forward'),
      annotate: text('annotate'),
      quiet: values.has('quiet'),
      all: values.has('all'),
    }
    return { input: given.positionals[0], options }
  } catch {
    return undefined
  }
}

/** The exit code; undefined when the arguments are to be read the ordinary way. */
export async function quickVerify(args: readonly string[]): Promise<number | undefined> {
  const asked = readArguments(args)
  if (asked === undefined) return undefined
  try {
    return await verify(asked.input, asked.options)
  } catch (error) {
    const { report } = await import('../report.ts')
    return report(error)
  }
}
