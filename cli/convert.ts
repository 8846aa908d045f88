// `colo convert`: a migration stream of QEMU into BER, or out of it. Only words are here; the work is loaded when
// it is asked for, since this file is loaded with every other verb too.

import { Command, InvalidArgumentError, Option } from 'commander'
import { teach } from './help.ts'

export interface ConvertOptions {
  readonly to: 'ber' | 'binary'
  readonly definite?: boolean
  readonly pageSize?: number
  readonly format: 'text' | 'json'
}

const PAGE_BYTES_MIN = 1024
const PAGE_BYTES_MAX = 65_536

function pageSize(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= PAGE_BYTES_MIN && value <= PAGE_BYTES_MAX && Number.isInteger(Math.log2(value))) {
    return value
  }
  throw new InvalidArgumentError(`a power of 2 from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX}`)
}

export function addConvert(program: Command): void {
  const command = program
    .command('convert')
    .description('a migration stream of QEMU into BER, or BER into a migration stream')
    .argument('<file>', 'what to convert, or - for standard input')
    .argument('<out>', 'the file to write, or - for standard output')
    .addOption(
      new Option('--to <what>', 'what OUT is to be')
        .choices(['ber', 'binary'])
        .makeOptionMandatory(),
    )
    .option('--definite', 'BER with definite lengths only, which is DER: FILE is read once more')
    .addOption(
      new Option(
        '--page-size <bytes>',
        "the target's page, if not 4096 and not in the stream",
      ).argParser(pageSize),
    )
    .addOption(
      new Option('-f, --format <format>', 'of what is said about it: text, or json')
        .choices(['text', 'json'])
        .default('text'),
    )
    .action(async (file: string, out: string, options: ConvertOptions) => {
      const { convert } = await import('./convert/run.ts')
      convert(file, out, options)
    })
  teach(command, {
    when:
      'tools other than QEMU are to read a stream: BER says of itself what lies where, and its module is in\n' +
      '  docs/specs/migration.schema. Back to binary gives the same stream, byte by byte. Memory that is used\n' +
      '  stays bounded; a FILE that is broken or cut off leaves no OUT, and the exit code is 1.',
    examples: [
      ['colo convert --to ber vm.mig vm.ber', 'a stream into BER'],
      ['colo convert --to ber --definite vm.mig vm.der', 'into DER'],
      ['colo convert --to binary vm.ber vm.mig', 'and back'],
    ],
  })
}

/** The verb alone, without what the others need. Raises what commander or the verb raises. */
export async function convertQuickly(argv: readonly string[]): Promise<number | undefined> {
  const program = new Command('colo').exitOverride().configureOutput({ outputError: () => {} })
  addConvert(program)
  await program.parseAsync(['convert', ...argv], { from: 'user' })
  return Number(process.exitCode ?? 0)
}
