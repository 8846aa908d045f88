// The options of `colo verify`, one row each: its help is printed from them, and its arguments are
// read by them, with or without the library that prints the help.

export interface VerifyOptions {
  readonly form: string
  readonly format: string
  readonly likeXen: boolean
  readonly withForward?: string
  readonly annotate?: string
  readonly quiet: boolean
  readonly all: boolean
}

interface OptionRow {
  readonly short?: string
  readonly words: string
  /** What a value is called in the help; undefined for a switch. */
  readonly value?: string
  readonly choices?: readonly string[]
}

export const VERIFY_OPTIONS: Readonly<Record<string, OptionRow>> = {
  form: {
    short: 'f',
    words: 'what the stream is; back is the back channel of COLO',
    value: 'form',
    choices: ['auto', 'libxl', 'libxc', 'xl', 'colo', 'remus', 'back'],
  },
  format: {
    words: 'json: one object with all that is said',
    value: 'format',
    choices: ['text', 'json'],
  },
  'like-xen': { words: "say what Xen 4.17's verify-stream-v2 would: message and exit code" },
  'with-forward': {
    words: 'for a back channel: hold it against this forward stream',
    value: 'file',
  },
  annotate: { words: 'draw the octets of a record, and read nothing', value: 'record' },
  quiet: { short: 'q', words: 'findings and verdict only, no list of records' },
  all: { words: 'every finding, also the eleventh of its kind' },
}
