// `colo version`, and `colo --version`.

import type { Command } from 'commander'
import { VERSION } from '../daemon/version.ts'
import { teach } from '../terminal/help.ts'

export function addVersion(program: Command): void {
  program.version(VERSION, '-V, --version', 'print the version of colo')
  const command = program
    .command('version')
    .description('print the version of colo')
    .action(() => void process.stdout.write(`${VERSION}\n`))
  teach(command, {
    when:
      'to see what is installed here. What runs on each side is the field `version` of\n' +
      '  colo status -f json; colo status warns where the two sides differ.',
    examples: [['colo version', 'such as 0.1.0; colo --version prints the same']],
  })
}
