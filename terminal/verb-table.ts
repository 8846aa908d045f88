// A verb that works on files, as a table: what it takes, what its help says, what it does. The table is read in two
// ways. Plain arguments are read here, by a few lines; loading the library that reads all others, and explains
// what is wrong with them, takes longer than most files do (verb-command.ts gives the table to that one).

import type { Lesson } from './help.ts'

export interface OperandRow {
  readonly name: string
  readonly words: string
  readonly isOptional?: boolean
}

export interface OptionRow {
  readonly short?: string
  readonly words: string
  /** What a value is called in the help; undefined for a switch. */
  readonly value?: string
  /** The values there are; the first is the default, unless one must be given. */
  readonly choices?: readonly string[]
  readonly isRequired?: boolean
  /** May be given again and again: the option is a list. */
  readonly repeats?: boolean
  /** Makes the value of its text. Throws an Error whose message says what it should be. */
  readonly read?: (text: string) => unknown
  /** Options that mean nothing beside this one. */
  readonly excludes?: readonly string[]
}

export interface Verb {
  readonly name: string
  readonly description: string
  readonly operands: readonly OperandRow[]
  /** By their long names. */
  readonly options: Readonly<Record<string, OptionRow>>
  readonly lesson: Lesson
  /** Returns the exit code if it is not what `process.exitCode` says. */
  run(operands: readonly string[], options: object): Promise<number | void>
}

/** `page-size` is `pageSize` to a program. */
export function optionKey(name: string): string {
  return name.replaceAll(/-./g, (dash) => dash.slice(1).toUpperCase())
}

type Given = Map<string, unknown>

/** Takes one option with its value. Returns how many words these are; 0 if somebody should explain. */
function readOption(options: Verb['options'], given: Given, words: readonly string[]): number {
  const [word, next] = words
  const found = Object.entries(options).find(
    ([name, { short }]) => word === `--${name}` || (short !== undefined && word === `-${short}`),
  )
  if (found === undefined) return 0
  const [name, { value, choices, repeats, read }] = found
  if (value === undefined) {
    given.set(name, true)
    return 1
  }
  if (next === undefined || next.startsWith('-')) return 0
  if (choices !== undefined && !choices.includes(next)) return 0
  try {
    const one = read === undefined ? next : read(next)
    given.set(name, repeats ? [...((given.get(name) ?? []) as unknown[]), one] : one)
    return 2
  } catch {
    return 0
  }
}

function isComplete({ operands, options }: Verb, given: Given, found: readonly string[]): boolean {
  const least = operands.filter(({ isOptional }) => !isOptional).length
  if (found.length < least || found.length > operands.length) return false
  return Object.entries(options).every(([name, { isRequired, excludes }]) => {
    if (!given.has(name)) return !isRequired
    return !excludes?.some((other) => given.has(other))
  })
}

/** Operands and options of plain arguments; undefined if they are to be read by whom can explain them. */
export function readPlainly(
  verb: Verb,
  argv: readonly string[],
): { operands: readonly string[]; options: object } | undefined {
  const given: Given = new Map()
  const operands: string[] = []
  for (let at = 0; at < argv.length;) {
    const word = argv[at]
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word)
      at++
      continue
    }
    const taken = readOption(verb.options, given, argv.slice(at, at + 2))
    if (taken === 0) return undefined
    at += taken
  }
  if (!isComplete(verb, given, operands)) return undefined
  for (const [name, { choices }] of Object.entries(verb.options)) {
    if (choices !== undefined && !given.has(name)) given.set(name, choices[0])
  }
  const options = Object.fromEntries([...given].map(([name, value]) => [optionKey(name), value]))
  return { operands, options }
}
