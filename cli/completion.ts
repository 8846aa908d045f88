// `colo completion`: prints the script by which a shell completes command lines of `colo`.

import { Argument, type Command } from 'commander'
import { bashScript } from './completion/bash.ts'
import { wordsOf, type VerbWords } from './completion/command-words.ts'
import { fishScript } from './completion/fish.ts'
import { zshScript } from './completion/zsh.ts'
import { teach } from '../terminal/help.ts'

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

type Shell = keyof typeof SHELLS

export function completionScript(shell: Shell, words: VerbWords): string {
  return SHELLS[shell](words)
}

export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .description('print the script that completes colo in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS)))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, wordsOf(program)))
    })
  teach(command, {
    when:
      'once, and again after an update: the Tab key then completes verbs, options, the values of those that ' +
      'have a list, and names of files. The shell must find a command `colo` (npm install -g).',
    examples: [
      [
        'colo completion bash > ~/.local/share/bash-completion/completions/colo',
        'bash with the package bash-completion; without it: source that file in .bashrc',
      ],
      [
        'colo completion zsh > ~/.zfunc/_colo',
        'zsh; before compinit .zshrc has: fpath=(~/.zfunc $fpath)',
      ],
      ['colo completion fish > ~/.config/fish/completions/colo.fish', 'fish'],
    ],
  })
}
