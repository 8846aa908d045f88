// `colo decode`: what is in a migration stream of QEMU. Only words are here; the work is loaded when it is asked
// for, since this file is loaded with every other verb too. The options are a table because they are read in two
// ways: by commander, with help and explanations, and by a few lines that know the plain spelling alone. Loading
// commander takes longer than decoding most streams.

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

/** What an option is followed by: nothing, a text, a whole number, or one text for each time it is given. */
type Kind = 'flag' | 'text' | 'number' | 'list'

interface OptionRow {
  readonly flag: string
  readonly value?: string
  readonly name: keyof DecodeOptions
  readonly kind: Kind
  readonly help: string
}

export const DECODE_OPTIONS: readonly OptionRow[] = [
  ...([
    {
      flag: '--state',
      name: 'state',
      kind: 'flag',
      help: 'the state of every device, field by field',
    },
    {
      flag: '--desc',
      name: 'desc',
      kind: 'flag',
      help: "the description of every device's fields",
    },
    {
      flag: '--compat',
      name: 'compat',
      kind: 'flag',
      help: "print what QEMU's own analyze-migration.py prints (-d state; with --desc, -d desc)",
    },
    {
      flag: '--trace',
      name: 'trace',
      kind: 'flag',
      help: 'the events that a QEMU traces when it loads this, a line each',
    },
  ] as const),
  {
    flag: '--ram',
    value: '<folder>',
    name: 'ram',
    kind: 'text',
    help: "write the guest's memory there, a sparse file for each block",
  },
  {
    flag: '--desc-from',
    value: '<stream>',
    name: 'descFrom',
    kind: 'text',
    help: 'take the description from another stream of the same machine',
  },
  {
    flag: '--at',
    value: '<offset>',
    name: 'at',
    kind: 'number',
    help: 'what the byte at this offset belongs to',
  },
  {
    flag: '--diff',
    value: '<stream>',
    name: 'diff',
    kind: 'text',
    help: 'the fields that differ between this stream and another',
  },
  {
    flag: '--checkpoint',
    value: '<n>',
    name: 'checkpoint',
    kind: 'number',
    help: 'of a COLO session: the state that this checkpoint brought (0: the first migration)',
  },
  {
    flag: '--diff-checkpoint',
    value: '<n>',
    name: 'diffCheckpoint',
    kind: 'number',
    help: 'the fields that differ in another checkpoint',
  },
  {
    flag: '--channel',
    value: '<file>',
    name: 'channel',
    kind: 'list',
    help: 'a page channel of multifd (again for each; else FILE.chN)',
  },
  {
    flag: '--page-size',
    value: '<bytes>',
    name: 'pageSize',
    kind: 'number',
    help: "the target's page, if not 4096 and not in the stream",
  },
]

export const FORMATS = ['text', 'json'] as const

/** A number in decimal or behind 0x; NaN if it is none. */
export function wholeNumber(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}

/** What will be wanted is asked for at once: files are then read while others are compiled. */
export async function runDecode(file: string, options: DecodeOptions): Promise<void> {
  const { state, desc, compat, format } = options
  const { decode } = (
    await Promise.all([
      import('./decode/run.ts'),
      (state || desc || compat) && import('./decode/devices.ts'),
      state && !compat && format === 'text' && import('./decode/state-text.ts'),
      state && !compat && format === 'json' && import('./decode/state-json.ts'),
      compat && !desc && import('./decode/compat.ts'),
    ])
  )[0]
  await decode(file, options)
}

/** Decodes if the arguments are plain; false if somebody should look at them who can explain. */
export async function decodeQuickly(argv: readonly string[]): Promise<number | undefined> {
  const options: Record<string, unknown> = { format: 'text' }
  const files: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    const row = DECODE_OPTIONS.find(({ flag }) => flag === word)
    const next = argv[i + 1]
    if (row?.kind === 'flag') options[row.name] = true
    else if (word === '-' || !word.startsWith('-')) files.push(word)
    else if (next === undefined || next.startsWith('-')) return undefined
    else if (word === '-f' || word === '--format') options['format'] = argv[++i]
    else if (row === undefined) return undefined
    else {
      const before = (options[row.name] ?? []) as readonly string[]
      if (row.kind === 'number' && Number.isNaN(wholeNumber(next))) return undefined
      if (row.kind === 'number') options[row.name] = wholeNumber(next)
      else options[row.name] = row.kind === 'list' ? [...before, next] : next
      i++
    }
  }
  const [file] = files
  if (file === undefined || files.length > 1) return undefined
  if (!FORMATS.some((format) => format === options['format'])) return undefined
  await runDecode(file, options as unknown as DecodeOptions)
  return Number(process.exitCode ?? 0)
}
