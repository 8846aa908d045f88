// `colo decode`: what is in a migration stream of QEMU. Only words are here; the work is loaded when it is asked
// for, since this file is loaded with every other verb too.

import { pageSize, wholeNumber } from '../terminal/numbers.ts'
import type { OptionRow, Verb } from '../terminal/verb-table.ts'
import type { DecodeOptions } from '../tools/decode/options.ts'

/** Each of them answers one question. */
const QUESTIONS: Readonly<Record<string, OptionRow>> = {
  state: {
    words: 'the state of every device, field by field',
    excludes: ['desc', 'trace', 'ram', 'at'],
  },
  desc: {
    words: "the description of every device's fields",
    excludes: ['trace', 'ram', 'at', 'diff', 'checkpoint', 'diff-checkpoint'],
  },
  compat: {
    words: "print what QEMU's own analyze-migration.py prints (-d state; with --desc, -d desc)",
    excludes: ['trace', 'ram', 'at', 'diff', 'diff-checkpoint'],
  },
  trace: {
    words: 'the events that a QEMU traces when it loads this, a line each',
    excludes: ['ram', 'at', 'diff', 'checkpoint', 'diff-checkpoint'],
  },
  'trace-save': {
    words: 'the events that the QEMU traced which wrote this',
    excludes: [
      'trace',
      'state',
      'desc',
      'compat',
      'ram',
      'at',
      'diff',
      'checkpoint',
      'diff-checkpoint',
    ],
  },
  ram: {
    words: "write the guest's memory there, a sparse file for each block",
    value: 'folder',
    excludes: ['at', 'diff', 'checkpoint', 'diff-checkpoint', 'desc-from'],
  },
  'desc-from': {
    words: 'take the description from another stream of the same machine',
    value: 'stream',
  },
  at: {
    words: 'what the byte at this offset belongs to',
    value: 'offset',
    read: wholeNumber,
    excludes: ['diff', 'checkpoint', 'diff-checkpoint'],
  },
  diff: {
    words: 'the fields that differ between this stream and another',
    value: 'stream',
    excludes: ['diff-checkpoint'],
  },
}

const DETAILS: Readonly<Record<string, OptionRow>> = {
  checkpoint: {
    words: 'of a COLO session: the state that this checkpoint brought (0: the first migration)',
    value: 'n',
    read: wholeNumber,
  },
  'diff-checkpoint': {
    words: 'the fields that differ in another checkpoint',
    value: 'n',
    read: wholeNumber,
  },
  channel: {
    words: 'a page channel of multifd, plain, zlib or zstd (again for each; else FILE.chN)',
    value: 'file',
    repeats: true,
  },
  'page-size': {
    words: "the target's page, if not 4096 and not in the stream",
    value: 'bytes',
    read: pageSize,
  },
  format: {
    short: 'f',
    words: 'text for people, json for programs',
    value: 'format',
    choices: ['text', 'json'],
  },
}

/** What will be wanted is asked for at once: files are then read while others are compiled. */
async function runDecode(file: string, options: DecodeOptions): Promise<void> {
  const { state, desc, compat, format } = options
  const { decode } = (
    await Promise.all([
      import('../tools/decode/run.ts'),
      (state || desc || compat) && import('../tools/decode/devices.ts'),
      state && !compat && format === 'text' && import('../tools/decode/state-text.ts'),
      state && !compat && format === 'json' && import('../tools/decode/state-json.ts'),
      compat && !desc && import('../tools/decode/compat.ts'),
    ])
  )[0]
  await decode(file, options)
}

export const decodeVerb: Verb = {
  name: 'decode',
  description: 'what is in a migration stream of QEMU 7.2, or in a recorded COLO session',
  operands: [{ name: 'file', words: 'the stream, or - for standard input' }],
  options: { ...QUESTIONS, ...DETAILS },
  lesson: {
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
  },
  async run([file = ''], options: DecodeOptions) {
    await runDecode(file, options)
  },
}
