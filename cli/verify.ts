// `colo verify`: judges a stream of Xen's, from a file or a pipe. What does it is loaded when it is
// wanted, so that the help of the other verbs does not wait for it.

import { Option, type Command } from 'commander'
import { teach } from './help.ts'

export interface VerifyOptions {
  readonly form: string
  readonly format: 'text' | 'json'
  readonly likeXen: boolean
  readonly withForward?: string
  readonly annotate?: string
  readonly quiet: boolean
  readonly all: boolean
}

const FORMS = ['auto', 'libxl', 'libxc', 'xl', 'colo', 'remus', 'back']

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description("judge a migration stream of Xen's: every flaw, with its byte")
    .argument('[in]', 'the stream: a file, or - for standard input')
    .addOption(
      new Option('-f, --form <form>', 'what the stream is; back is the back channel of COLO')
        .choices(FORMS)
        .default('auto'),
    )
    .addOption(
      new Option('--format <format>', 'json: one object with all that is said')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option(
      '--like-xen',
      "say what Xen 4.17's verify-stream-v2 would: message and exit code",
      false,
    )
    .option('--with-forward <file>', 'for a back channel: hold it against this forward stream')
    .option('--annotate <record>', 'draw the octets of a record, and read nothing')
    .option('-q, --quiet', 'findings and verdict only, no list of records', false)
    .option('--all', 'every finding, also the eleventh of its kind', false)
    .action(async (input: string | undefined, options: VerifyOptions) => {
      const { verify } = await import('./verify/verification.ts')
      process.exitCode = await verify(input, options)
    })
  teach(command, {
    when:
      'to know whether a stream is sound before it is restored, or where it is not. Exit code 0 says that\n' +
      '  it is, 1 that it is not, 2 that it could not be read.',
    examples: [
      ['colo verify guest.save', 'find out what it is, list it, judge it'],
      ['xl save guest /dev/stdout | colo verify -', 'of any length, through a pipe'],
      ['colo verify -f colo rec/a-g1-s1.forward -q', 'a recording of --record'],
      ['colo verify -f back --with-forward rec/a-g1-s1.forward rec/a-g1-s1.back', 'both channels'],
      ['colo verify --like-xen -f libxl flat', "as Xen's own verifier"],
      ['colo verify --annotate PAGE_DATA', 'what the record looks like'],
    ],
  })
}
