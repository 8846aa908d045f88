// `colo status`: both sides of a pair in one table.

import { Option, type Command } from 'commander'
import type { Status } from '../shared/protocol/control-messages.ts'
import { describeHolder } from '../shared/protocol/register.ts'
import { EXIT_CODES } from '../terminal/exit-codes.ts'
import { teach } from '../terminal/help.ts'
import { plainText } from '../terminal/plain-text.ts'
import { askSides, chooseSides, isAbsent, type AbsentSide, type SideRow } from './sides.ts'
import { formatTable } from '../terminal/table.ts'
import { addTargetOptions, type TargetOptions } from './targets.ts'
import { paintFor, plain, type Paint } from '../terminal/paint.ts'
import { colourOf } from '../terminal/terminal-colours.ts'
import { showBytes, showMs } from '../terminal/units.ts'

export interface FormatOptions {
  readonly format: 'text' | 'json'
}

export function formatOption(words: string): Option {
  return new Option('-f, --format <format>', words).choices(['text', 'json']).default('text')
}

export function addStatus(program: Command): void {
  const command = addTargetOptions(
    program.command('status').description('what both sides are and do, in a table'),
  )
    .addOption(formatOption('json: a list with all fields of each side'))
    .option('--digest', "with the digest of the guest's memory (reads all of it)", false)
    .action(async (options: TargetOptions & FormatOptions & { digest: boolean }) => {
      const { digest, format, at, name } = options
      const withPeer = at === undefined && name === undefined
      const rows = await askSides(chooseSides(options), { digest, withPeer })
      process.stdout.write(
        format === 'json'
          ? `${JSON.stringify(rows, undefined, 2)}\n`
          : `${describeSides(rows, paintFor(process.stdout))}\n`,
      )
      if (rows.every(isAbsent)) process.exitCode = EXIT_CODES.nobody.code
    })
  teach(command, {
    when:
      'at any time; it changes nothing and needs no token. `protected` on both sides is what you want to\n' +
      '  see; any other state comes with its reason. A side that ended without a word, or that does not\n' +
      '  answer, has a row too: `dead` or `no answer`. Exit code 3 says that no side answers.',
    examples: [
      ['colo status', 'the one pair that lives below .colo'],
      ['colo status --at 10.0.0.2:7380 -f json', 'one side, wherever it is, for a script'],
      ['colo status --digest', "compare the guest's memory on both sides"],
    ],
  })
}

const TITLES = [
  'side',
  'role',
  'state',
  'gen',
  'epoch',
  'ckpts',
  'pause ms',
  'dirty',
  'held',
  'clients',
]

/** How dirty pages are found, and how much of the pause that is. */
function describeKernel({ guest, pause, find }: Status): string {
  const { scheme, rewriteMs, whyScan } = guest.dirty
  const parts = [guest.kernel]
  if (whyScan !== undefined) parts.push(`no log: ${whyScan}`)
  if (scheme !== 'scan') parts.push(`rewritten in ${showMs(rewriteMs)} ms`)
  if (pause.p50 > 0) parts.push(`${Math.round((100 * find.p50) / pause.p50)} % of the pause`)
  return parts.join(', ')
}

const NONE = '-'

function absentFigures({ name, state, generation, reason }: AbsentSide): string[] {
  const gen = generation === undefined ? NONE : String(generation)
  return [name, NONE, state, gen, ...Array<string>(TITLES.length - 4).fill(NONE), reason]
}

function figuresOf(one: Status): string[] {
  return [
    ...[one.name, one.role, one.state],
    ...[one.generation, one.epoch, one.checkpoints].map(String),
    `${showMs(one.pause.p50)}/${showMs(one.pause.p99)}`,
    ...[String(one.dirtyPages), showBytes(one.heldBytes), String(one.clients), one.reason],
  ]
}

/** How much of an incarnation, or of a pair's id, is enough to tell it from others. */
const ID_DIGITS = 8

function placesOf(row: SideRow): string[] {
  if (isAbsent(row)) {
    const { name, pid, addresses } = row
    const rest = Array<string>(PLACE_TITLES.length - 4).fill(NONE)
    return [
      name,
      String(pid ?? NONE),
      addresses.clients ?? NONE,
      addresses.control ?? NONE,
      ...rest,
    ]
  }
  const { register, seen, guest } = row
  return [
    ...[row.name, String(row.pid), row.addresses.clients, row.addresses.control],
    ...[row.peer.address, row.witness, row.incarnation.slice(0, ID_DIGITS)],
    register === undefined ? NONE : `${describeHolder(register.holder)}@${register.generation}`,
    seen === undefined ? NONE : `${seen.pair.slice(0, ID_DIGITS)}@${seen.generation}`,
    `${guest.name} ${showBytes(guest.memoryBytes)}${guest.paused ? ', paused' : ''}`,
    describeKernel(row),
  ]
}

const PLACE_TITLES = [
  'side',
  'pid',
  'clients at',
  'control at',
  'peer at',
  'witness',
  'incarnation',
  'register',
  'seen',
  'guest',
  'kernel',
]

/** Tables for people: what changes, where everything is, and warnings. */
export function describeSides(rows: readonly SideRow[], paint: Paint = plain): string {
  const figures = rows.map((row) => (isAbsent(row) ? absentFigures(row) : figuresOf(row)))
  const statuses = rows.filter((row): row is Status => !isAbsent(row))
  const [titles = '', ...lines] = formatTable([...TITLES, 'reason'], figures).split('\n')
  const painted = lines.map((line, index) => paintState(line, rows[index]?.state ?? '', paint))
  const parts = [titles, ...painted, '', formatTable(PLACE_TITLES, rows.map(placesOf))]
  const digests = statuses.filter(({ guest }) => guest.memoryDigest !== undefined)
  if (digests.length > 0) parts.push('')
  for (const { name, guest } of digests) parts.push(`${name} memory ${guest.memoryDigest}`)
  const versions = versionWarning(statuses)
  if (versions !== undefined) parts.push('', inOneLine(`warning: ${versions}`))
  const warnings = new Set(statuses.flatMap(({ warning }) => warning ?? []))
  for (const warning of warnings) parts.push('', `warning: ${warning}`)
  const troubles = statuses.flatMap(({ name, warnings: all = [], witnessTrouble = [] }) =>
    all.concat(witnessTrouble).map((text) => inOneLine(`warning: ${name}: ${text}`)),
  )
  if (troubles.length > 0) parts.push('', ...troubles)
  return parts.join('\n')
}

const inOneLine = (text: string) => plainText(text).replaceAll('\n', String.raw`\n`)

/** What each side runs, as it says or as its peer has heard; undefined if all of them run the same. */
function versionWarning(statuses: readonly Status[]): string | undefined {
  const heard = statuses.flatMap(({ peer }) =>
    peer.version === undefined ? [] : ([[peer.name, peer.version]] as const),
  )
  const said = statuses.map(({ name, version }) => [name, version] as const)
  const versions = new Map<string, string | undefined>([...heard, ...said])
  if (new Set(versions.values()).size < 2) return undefined
  const words = [...versions]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, version]) => `${name} runs ${version ?? 'one that does not say its version'}`)
  return `different versions of colo-pair: ${words.join(', ')}; install the newer one on both`
}

/** The first word of the line that is the state; a side may be called so too, hence the blanks. */
function paintState(line: string, state: string, paint: Paint): string {
  const at = line.indexOf(`  ${state}  `)
  if (at < 0) return line
  const begin = at + 2
  return `${line.slice(0, begin)}${paint(colourOf(state), state)}${line.slice(begin + state.length)}`
}
