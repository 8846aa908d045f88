// `colo verify`: judges a stream of Xen's, from a file or a pipe. What does it is loaded when it is
// wanted, so that the help of the other verbs does not wait for it.

import { Option, type Command } from 'commander'
import { teach } from './help.ts'
import { VERIFY_OPTIONS } from './verify/verify-options.ts'
import type { VerifyOptions } from './verify/verify-options.ts'

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description("judge a migration stream of Xen's: every flaw, with its byte")
    .argument('[in]', 'the stream: a file, or - for standard input')
    .action(async (input: string | undefined, options: VerifyOptions) => {
      const { verify } = await import('./verify/verification.ts')
      process.exitCode = await verify(input, options)
    })
  for (const [name, { short, words, value, choices }] of Object.entries(VERIFY_OPTIONS)) {
    const flags = `${short === undefined ? '' : `-${short}, `}--${name}`
    const option = new Option(value === undefined ? flags : `${flags} <${value}>`, words)
    if (choices !== undefined) option.choices(choices).default(choices[0])
    if (value === undefined) option.default(false)
    command.addOption(option)
  }
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
