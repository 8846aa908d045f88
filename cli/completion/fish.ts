// The completion of `colo` for fish: a line for each verb, option and operand.

import {
  allVerbs,
  lastWord,
  type Completed,
  type OptionWords,
  type VerbWords,
} from './command-words.ts'

const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`

/** True behind the words of a verb; where these are to be followed by another verb, only directly behind them. */
const condition = ({ path, verbs }: VerbWords) =>
  quoted([verbs.length > 0 ? '__colo_ends' : '__colo_begins', ...path].join(' '))

/** Whether a value must follow, and what it may be. */
function valueOf(what: Completed | undefined): string {
  if (what === undefined) return ''
  if (what === 'files') return ' -r -F'
  if (what === 'folders') return " -x -a '(__fish_complete_directories)'"
  return what === 'nothing' ? ' -x' : ` -x -a ${quoted(what.join(' '))}`
}

function optionLine(verb: VerbWords, { names, description, value }: OptionWords): string {
  const flags = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  )
  return `-n ${condition(verb)} ${flags.join(' ')}${valueOf(value)} -d ${quoted(description)}`
}

/** Files may stand anywhere among the options; words only directly behind the verb. */
function operandLine(verb: VerbWords, what: Completed): string[] {
  if (what === 'nothing') return []
  if (what === 'files') return [`-n ${condition(verb)} -F`]
  if (what === 'folders') return [`-n ${condition(verb)} -a '(__fish_complete_directories)'`]
  return [`-n ${quoted(['__colo_ends', ...verb.path].join(' '))} -a ${quoted(what.join(' '))}`]
}

function verbLines(verb: VerbWords): string[] {
  const lines = [
    ...verb.verbs.map(
      (inner) =>
        `-n ${condition(verb)} -a ${quoted(lastWord(inner))} -d ${quoted(inner.description)}`,
    ),
    ...verb.options.map((option) => optionLine(verb, option)),
    ...new Set(verb.operands.flatMap((what) => operandLine(verb, what))),
  ]
  return lines.map((line) => `complete -c colo ${line}`)
}

export function fishScript(root: VerbWords): string {
  return `# Completion of colo for fish: what \`colo completion fish\` prints.

function __colo_begins
    set -l words (commandline -opc)
    set -e words[1]
    set -l length (count $argv)
    test "$words[1..$length]" = "$argv"
end

function __colo_ends
    set -l words (commandline -opc)
    set -e words[1]
    test "$words" = "$argv"
end

complete -c colo -f
${allVerbs(root).flatMap(verbLines).join('\n')}
`
}
