// The completion of `colo` for bash. It needs nothing but bash; `bash-completion` only loads it when it is wanted.

import { shellQuote } from '../../terminal/wrap.ts'
import { allVerbs, lastWord, type Completed, type VerbWords } from './command-words.ts'

function complete(what: Exclude<Completed, 'nothing'>): string {
  if (what === 'files') return '_colo_paths -f'
  if (what === 'folders') return '_colo_paths -d'
  return `_colo_words ${shellQuote(what.join(' '))}`
}

/** A pattern of `case`: the verb, a blank, and what stands behind it. */
const pattern = ({ path }: VerbWords, last: string) => `'${[...path, last].join(' ')}'`

const cases = (rows: readonly string[]) => rows.map((row) => `    ${row}`).join('\n')

function optionValues(verbs: readonly VerbWords[]): string[] {
  return verbs.flatMap((verb) =>
    verb.options.flatMap(({ names, value }) => {
      if (value === undefined || value === 'nothing') return []
      return [`${names.map((name) => pattern(verb, name)).join(' | ')}) ${complete(value)} ;;`]
    }),
  )
}

function operands(verbs: readonly VerbWords[]): string[] {
  return verbs.flatMap((verb) => {
    const inner = verb.verbs.map(lastWord)
    const places = inner.length > 0 ? [inner] : verb.operands
    return places.flatMap((what, place) =>
      what === 'nothing' ? [] : [`${pattern(verb, String(place))}) ${complete(what)} ;;`],
    )
  })
}

export function bashScript(root: VerbWords): string {
  const verbs = allVerbs(root)
  const leading = verbs.flatMap(({ path }) => (path.length > 0 ? [`'${path.join(' ')}'`] : []))
  const valued = verbs.flatMap((verb) =>
    verb.options.flatMap(({ names, value }) =>
      value === undefined ? [] : names.map((name) => pattern(verb, name)),
    ),
  )
  const options = verbs.map((verb) => {
    const names = verb.options.flatMap((option) => option.names)
    return `${pattern(verb, '')}) _colo_words ${shellQuote(names.join(' '))} ;;`
  })
  return `# Completion of colo for bash: what \`colo completion bash\` prints.

_colo_words() {
  local word
  for word in $1; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}

_colo_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$cur")
}

_colo() {
  local IFS=$' \\t\\n' cur=\${COMP_WORDS[COMP_CWORD]} path='' option='' place=0 index word
  COMPREPLY=()
  # Which verb it is, which option waits for its value, and how many operands there are.
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    [[ $word == = ]] && continue
    if [[ -n $option ]]; then
      option=''
      continue
    fi
    case "$path$word" in
    ${leading.join(' | ')})
      if ((place == 0)); then
        path+="$word "
        continue
      fi
      ;;
    esac
    case "$path$word" in
    ${valued.join(' | ')}) option=$word ;;
    *) [[ $word == -?* ]] || ((place += 1)) ;;
    esac
  done
  [[ $cur == = ]] && cur=''
  if [[ -n $option ]]; then
    case "$path$option" in
${cases(optionValues(verbs))}
    esac
  elif [[ $cur == -* ]]; then
    case "$path" in
${cases(options)}
    esac
  else
    case "$path$place" in
${cases(operands(verbs))}
    esac
  fi
}

complete -F _colo colo
`
}
