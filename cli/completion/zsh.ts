// The completion of `colo` for zsh: a function for each verb, by zsh's own `_arguments`.

import { lastWord, type Completed, type OptionWords, type VerbWords } from './command-words.ts'

const functionOf = ({ path }: VerbWords) => ['_colo', ...path].join('_').replaceAll('-', '_')

/** In single quotes, where brackets, colons and backslashes mean something to `_arguments`. */
function quoted(text: string): string {
  const plain = text.replaceAll(/[[\]:\\]/g, (character) => `\\${character}`)
  return plain.replaceAll("'", String.raw`'\''`)
}

function action(what: Completed): string {
  if (what === 'files') return '_files'
  if (what === 'folders') return '_files -/'
  return what === 'nothing' ? ' ' : `(${what.join(' ')})`
}

function optionLine({ names, description, value }: OptionWords): string {
  // A value may be joined to a long name by =, and to a short one by nothing.
  const forms = names.map((name) => {
    if (value === undefined) return name
    return name.startsWith('--') ? `${name}=` : `${name}+`
  })
  const form = forms.length > 1 ? `'*'{${forms.join(',')}}'` : `'*${forms.join('')}`
  const tail = value === undefined ? '' : `:value:${action(value)}`
  return `${form}[${quoted(description)}]${tail}'`
}

function verbFunction(verb: VerbWords): string {
  const lines = verb.options.map(optionLine)
  if (verb.verbs.length === 0) {
    const operands = verb.operands.map((what, at) => `'${at + 1}:operand:${action(what)}'`)
    const all = [...lines, ...operands].map((line) => ` \\\n    ${line}`).join('')
    return `${functionOf(verb)}() {\n  _arguments${all}\n}\n`
  }
  const all = [...lines, `'1:verb:->verb'`, `'*::argument:->argument'`]
  const described = verb.verbs.map((one) => `'${lastWord(one)}:${quoted(one.description)}'`)
  return `${functionOf(verb)}() {
  local curcontext="$curcontext" state line
  local -A opt_args
  local -a verbs
  _arguments -C${all.map((one) => ` \\\n    ${one}`).join('')} && return
  case $state in
    (verb)
      verbs=(
${described.map((one) => `        ${one}`).join('\n')}
      )
      _describe -t verbs verb verbs
      ;;
    (argument)
      case $words[1] in
${verb.verbs.map((one) => `        (${lastWord(one)}) ${functionOf(one)} ;;`).join('\n')}
      esac
      ;;
  esac
}
`
}

export function zshScript(root: VerbWords): string {
  const functions = (verb: VerbWords): string[] => [
    ...verb.verbs.flatMap(functions),
    verbFunction(verb),
  ]
  return `#compdef colo
# Completion of colo for zsh: what \`colo completion zsh\` prints.

${functions(root).join('\n')}
if [[ $funcstack[1] == _colo ]]; then
  _colo "$@"
else
  compdef _colo colo
fi
`
}
