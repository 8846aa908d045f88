// `colo verify`: judges a stream of Xen's, from a file or a pipe. What does it is loaded when it is wanted, so that
// the help of the other verbs does not wait for it.

import type { Verb } from '../terminal/verb-table.ts'
import type { VerifyOptions } from '../tools/verify/options.ts'

export const verifyVerb: Verb = {
  name: 'verify',
  description: "judge a migration stream of Xen's: every flaw, with its byte",
  operands: [
    { name: 'in', words: 'the stream: a file, or - for standard input', isOptional: true },
  ],
  options: {
    form: {
      words: 'what the stream is; back is the back channel of COLO',
      value: 'form',
      choices: ['auto', 'libxl', 'libxc', 'xl', 'colo', 'remus', 'back'],
    },
    format: {
      short: 'f',
      words: 'json: one object with all that is said',
      value: 'format',
      choices: ['text', 'json'],
    },
    'like-xen': {
      words: "say what Xen 4.17's verify-stream-v2 would: message and exit code",
      excludes: ['with-forward', 'all', 'annotate'],
    },
    'with-forward': {
      words: 'for a back channel: hold it against this forward stream',
      value: 'file',
    },
    annotate: {
      words: 'draw the octets of a record, and read nothing',
      value: 'record',
      excludes: ['form', 'format', 'with-forward', 'quiet', 'all'],
    },
    quiet: { short: 'q', words: 'findings and verdict only, no list of records' },
    all: { words: 'every finding, also the eleventh of its kind' },
  },
  lesson: {
    when:
      'to know whether a stream is sound before it is restored, or where it is not. Exit code 0 says that\n' +
      '  it is, 1 that it is not, 2 that it could not be read.',
    examples: [
      ['colo verify guest.save', 'find out what it is, list it, judge it'],
      ['xl save guest /dev/stdout | colo verify -', 'of any length, through a pipe'],
      ['colo verify --form colo rec/a-g1-s1.forward -q', 'a recording of --record'],
      [
        'colo verify --form back --with-forward rec/a-g1-s1.forward rec/a-g1-s1.back',
        'both channels',
      ],
      ['colo verify --like-xen --form libxl flat', "as Xen's own verifier"],
      ['colo verify --annotate PAGE_DATA', 'what the record looks like'],
    ],
  },
  async run([input], options: VerifyOptions) {
    const { verify } = await import('../tools/verify/verification.ts')
    return verify(input, options)
  },
}
