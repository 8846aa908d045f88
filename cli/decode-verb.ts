// `colo decode` as commander knows it, made from the table of its options.

import { InvalidArgumentError, Option, type Command } from 'commander'
import { DECODE_OPTIONS, FORMATS, runDecode, wholeNumber } from './decode.ts'
import { teach } from './help.ts'

export function addDecode(program: Command): void {
  const command = program
    .command('decode')
    .description('what is in a migration stream of QEMU 7.2, or in a recorded COLO session')
    .argument('<file>', 'the stream, or - for standard input')
  for (const { flag, value, kind, help } of DECODE_OPTIONS) {
    const option = new Option(value === undefined ? flag : `${flag} ${value}`, help)
    if (kind === 'list') {
      option.argParser((text: string, all: readonly string[] | undefined) => [...(all ?? []), text])
    }
    if (kind === 'number') {
      option.argParser((text: string) => {
        const number = wholeNumber(text)
        if (Number.isNaN(number)) throw new InvalidArgumentError('It is a whole number, or 0x...')
        return number
      })
    }
    command.addOption(option)
  }
  command
    .addOption(
      new Option('-f, --format <format>', 'text for people, json for programs')
        .choices(FORMATS)
        .default('text'),
    )
    .action(runDecode)
  teach(command, {
    when:
      'you want to know what a migration carried, why one was refused, or what a checkpoint changed. Without\n' +
      '  an option: an overview. A stream that is cut off is told as far as it goes, and the exit code is 1.',
    examples: [
      ['colo decode vm.mig', 'what is in it, section by section'],
      ['colo decode vm.mig --state', 'every field of every device'],
      ['colo decode vm.mig --ram images', "the guest's memory as files"],
      ['colo decode vm.mig --diff other.mig', 'which fields differ'],
      ['colo decode colo.bin --checkpoint 3 --diff-checkpoint 4', 'what a checkpoint changed'],
      ['zcat vm.mig.gz | colo decode - --compat', "as QEMU's own script prints it"],
    ],
  })
}
