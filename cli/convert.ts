// `colo convert`: a migration stream of QEMU into BER, or out of it. Only words are here; the work is loaded when
// it is asked for, since this file is loaded with every other verb too.

import { pageSize } from '../terminal/numbers.ts'
import type { Verb } from '../terminal/verb-table.ts'
import type { ConvertOptions } from '../tools/convert/options.ts'

export const convertVerb: Verb = {
  name: 'convert',
  description: 'a migration stream of QEMU into BER, or BER into a migration stream',
  operands: [
    { name: 'file', words: 'what to convert, or - for standard input' },
    { name: 'out', words: 'the file to write, or - for standard output' },
  ],
  options: {
    to: { words: 'what OUT is to be', value: 'what', choices: ['ber', 'binary'], isRequired: true },
    definite: { words: 'BER with definite lengths only, which is DER: FILE is read once more' },
    'page-size': {
      words: "the target's page, if not 4096 and not in the stream",
      value: 'bytes',
      read: pageSize,
    },
    format: {
      short: 'f',
      words: 'of what is said about it: text, or json',
      value: 'format',
      choices: ['text', 'json'],
    },
  },
  lesson: {
    when:
      'tools other than QEMU are to read a stream: BER says of itself what lies where, and its module is in\n' +
      '  docs/specs/migration.schema. Back to binary gives the same stream, byte by byte. Memory that is used\n' +
      '  stays bounded; a FILE that is broken or cut off leaves no OUT, and the exit code is 1; only a COLO session\n' +
      '  may end anywhere behind its first migration.',
    examples: [
      ['colo convert --to ber vm.mig vm.ber', 'a stream into BER'],
      ['colo convert --to ber --definite vm.mig vm.der', 'into DER'],
      ['colo convert --to binary vm.ber vm.mig', 'and back'],
    ],
  },
  async run([file = '', out = ''], options: ConvertOptions) {
    const { convert } = await import('../tools/convert/run.ts')
    await convert(file, out, options)
  },
}
