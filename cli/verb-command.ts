// A verb of a table as commander knows it.

import { Argument, InvalidArgumentError, Option, type Command } from 'commander'
import { argument } from './daemon-options.ts'
import { teach } from '../terminal/help.ts'
import { optionKey, type OptionRow, type Verb } from '../terminal/verb-table.ts'

/** Says it too where the word is a choice of another option of the verb. */
function chosen(choices: readonly string[], name: string, verb: Verb): (text: string) => string {
  return (text) => {
    if (choices.includes(text)) return text
    const other = Object.entries(verb.options).find(
      ([key, row]) => key !== name && row.choices?.includes(text),
    )
    const way = other === undefined ? '' : ` (${text} is for --${other[0]}: --${other[0]} ${text})`
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}${way}.`)
  }
}

function optionOf(name: string, row: OptionRow, verb: Verb): Option {
  const { short, words, value, choices, isRequired, repeats, read, excludes } = row
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}`
  const option = new Option(value === undefined ? flags : `${flags} <${value}>`, words)
  const one = argument(read ?? ((text: string): unknown => text))
  if (repeats) {
    option.argParser((text, before: readonly unknown[] | undefined) => [
      ...(before ?? []),
      one(text),
    ])
  } else if (read !== undefined) option.argParser(one)
  if (choices !== undefined) option.choices(choices).argParser(chosen(choices, name, verb))
  if (choices !== undefined && !isRequired) option.default(choices[0])
  if (isRequired) option.makeOptionMandatory()
  if (excludes !== undefined) option.conflicts(excludes.map(optionKey))
  return option
}

export function addVerb(program: Command, verb: Verb): void {
  const command = program.command(verb.name).description(verb.description)
  for (const { name, words, isOptional } of verb.operands) {
    command.addArgument(new Argument(isOptional ? `[${name}]` : `<${name}>`, words))
  }
  for (const [name, row] of Object.entries(verb.options)) {
    command.addOption(optionOf(name, row, verb))
  }
  command.action(async () => {
    process.exitCode = (await verb.run(command.args, command.opts())) ?? process.exitCode
  })
  teach(command, verb.lesson)
}
