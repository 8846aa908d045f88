// `colo decode`: what is in a migration stream of QEMU. Only words are here; the work is loaded when it is asked
// for, since this file is loaded with every other verb too.

import { InvalidArgumentError, Option, type Command } from 'commander'
import { teach } from './help.ts'

export interface DecodeOptions {
  readonly desc?: boolean
  readonly state?: boolean
  readonly ram?: string
  readonly compat?: boolean
  readonly descFrom?: string
  readonly at?: number
  readonly diff?: string
  readonly checkpoint?: number
  readonly diffCheckpoint?: number
  readonly channel?: readonly string[]
  readonly pageSize?: number
  readonly trace?: boolean
  readonly format: 'text' | 'json'
}

function wholeNumber(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('a whole number, or 0x...')
  return value
}

export function addDecode(program: Command): void {
  const command = program
    .command('decode')
    .description('what is in a migration stream of QEMU 7.2, or in a recorded COLO session')
    .argument('<file>', 'the stream, or - for standard input')
    .option('--state', 'the state of every device, field by field')
    .option('--desc', "the description that QEMU put behind the stream: every device's fields")
    .option('--ram <folder>', "write the guest's memory there, a sparse file for each block")
    .option('--compat', "print what QEMU's own analyze-migration.py prints (-d state, or --desc)")
    .option('--desc-from <stream>', 'take the description from another stream of the same machine')
    .addOption(
      new Option('--at <offset>', 'what the byte at this offset belongs to').argParser(wholeNumber),
    )
    .option('--diff <stream>', 'the fields that differ between this stream and another')
    .addOption(
      new Option(
        '--checkpoint <n>',
        'of a COLO session: the state that this checkpoint brought',
      ).argParser(wholeNumber),
    )
    .addOption(
      new Option('--diff-checkpoint <n>', 'the fields that another checkpoint changed').argParser(
        wholeNumber,
      ),
    )
    .addOption(
      new Option(
        '--channel <file>',
        'a page channel of multifd (again for each; else FILE.chN)',
      ).argParser((file: string, all: readonly string[] = []) => [...all, file]),
    )
    .addOption(
      new Option(
        '--page-size <bytes>',
        "the target's page, if not 4096 and not in the stream",
      ).argParser(wholeNumber),
    )
    .option('--trace', "on standard error, the events that QEMU's trace has when it loads this")
    .addOption(
      new Option('-f, --format <format>', 'text for people, json for programs')
        .choices(['text', 'json'])
        .default('text'),
    )
    .action(async (file: string, options: DecodeOptions) => {
      const { decode } = await import('./decode/run.ts')
      await decode(file, options)
    })
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
