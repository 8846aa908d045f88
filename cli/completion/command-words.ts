// What can stand in a command line of `colo`, read off the one table of verbs and options that also reads command
// lines and prints the help. The scripts for the shells are made of it.

import type { Argument, Command, Option } from 'commander'
import { WITNESS_KINDS } from '../../daemon/config.ts'
import { isDelayOption } from '../daemon-options.ts'

/** What a value is completed with: some words, names of files or folders, or nothing. */
export type Completed = readonly string[] | 'files' | 'folders' | 'nothing'

/** By the word in angle brackets that stands for a value, where the value has no list of choices. */
export const PLACEHOLDERS: Readonly<Record<string, Completed>> = {
  file: 'files',
  in: 'files',
  out: 'files',
  stream: 'files',
  folder: 'folders',
  kind: Object.keys(WITNESS_KINDS),
  base: 'nothing',
  bytes: 'nothing',
  hex: 'nothing',
  'host:port': 'nothing',
  m: 'nothing',
  n: 'nothing',
  name: 'nothing',
  offset: 'nothing',
  record: 'nothing',
  'role@time': 'nothing',
  size: 'nothing',
  time: 'nothing',
}

export interface OptionWords {
  /** `-f` and `--format`. */
  readonly names: readonly string[]
  readonly description: string
  /** Undefined for a switch, and for an option whose value may be left out. */
  readonly value: Completed | undefined
}

export interface VerbWords {
  /** The words that lead to it: `guest`, `inspect`; none for `colo` itself. */
  readonly path: readonly string[]
  readonly description: string
  readonly verbs: readonly VerbWords[]
  readonly options: readonly OptionWords[]
  readonly operands: readonly Completed[]
}

const HELP: OptionWords = {
  names: ['-h', '--help'],
  description: 'what it does, and examples',
  value: undefined,
}

const placeholderOf = (flags: string) => /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1] ?? ''

function optionWords(option: Option): OptionWords {
  const { short, long, flags, argChoices, description, required } = option
  const value = argChoices ?? PLACEHOLDERS[placeholderOf(flags)] ?? 'nothing'
  const names = [short, long].filter((name) => name !== undefined)
  return { names, description, value: required ? value : undefined }
}

const operandWords = (operand: Argument): Completed =>
  operand.argChoices ?? PLACEHOLDERS[operand.name()] ?? 'nothing'

const isOffered = (option: Option) => !option.hidden || isDelayOption(option)

/** `inspect` of `guest inspect`. */
export const lastWord = ({ path }: VerbWords): string => path.at(-1) ?? ''

/** What `program` and all of its verbs take; `help` is the verb that commander adds. */
export function wordsOf(program: Command, path: readonly string[] = []): VerbWords {
  const verbs = program.commands.map((verb) => wordsOf(verb, [...path, verb.name()]))
  const help: VerbWords = {
    path: [...path, 'help'],
    description: 'the help of a verb',
    verbs: [],
    options: [],
    operands: [verbs.map(lastWord)],
  }
  return {
    path,
    description: program.description(),
    verbs: verbs.length > 0 ? [...verbs, help] : [],
    options: [...program.options.filter(isOffered).map(optionWords), HELP],
    operands: program.registeredArguments.map(operandWords),
  }
}

/** `colo` itself and every verb, and the verbs of verbs. */
export function allVerbs(root: VerbWords): VerbWords[] {
  return [root, ...root.verbs.flatMap(allVerbs)]
}
