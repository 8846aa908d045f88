// `colo status`: both sides of a pair in one table.

import { Option, type Command } from 'commander'
import type { Status } from '../shared/control/messages.ts'
import { teach } from './help.ts'
import { plainText } from './plain-text.ts'
import { formatTable } from './table.ts'
import { addTargetOptions, askStatuses, chooseTargets, type TargetOptions } from './targets.ts'
import { showBytes, showMs } from './units.ts'

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
      const seen = await askStatuses(chooseTargets(options), options.digest)
      const statuses = seen.map(({ status }) => status)
      process.stdout.write(
        options.format === 'json'
          ? `${JSON.stringify(statuses, undefined, 2)}\n`
          : `${describeStatuses(statuses)}\n`,
      )
    })
  teach(command, {
    when:
      'at any time; it changes nothing and needs no token. `protected` on both sides is what you want to\n' +
      '  see; any other state comes with its reason.',
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

/** Tables for people: what changes, where everything is, and warnings. */
export function describeStatuses(statuses: readonly Status[]): string {
  const figures = statuses.map((one) => [
    ...[one.name, one.role, one.state],
    ...[one.generation, one.epoch, one.checkpoints].map(String),
    `${showMs(one.pause.p50)}/${showMs(one.pause.p99)}`,
    ...[String(one.dirtyPages), showBytes(one.heldBytes), String(one.clients), one.reason],
  ])
  const places = statuses.map((one) => [
    ...[one.name, String(one.pid), one.addresses.clients, one.addresses.control],
    ...[one.peer.address, one.witness],
    `${one.guest.name} ${showBytes(one.guest.memoryBytes)}${one.guest.paused ? ', paused' : ''}`,
    describeKernel(one),
  ])
  const placeTitles = [
    'side',
    'pid',
    'clients at',
    'control at',
    'peer at',
    'witness',
    'guest',
    'kernel',
  ]
  const parts = [formatTable([...TITLES, 'reason'], figures), '', formatTable(placeTitles, places)]
  const digests = statuses.filter(({ guest }) => guest.memoryDigest !== undefined)
  if (digests.length > 0) parts.push('')
  for (const { name, guest } of digests) parts.push(`${name} memory ${guest.memoryDigest}`)
  const warnings = new Set(statuses.flatMap(({ warning }) => warning ?? []))
  for (const warning of warnings) parts.push('', `warning: ${warning}`)
  const troubles = statuses.flatMap(({ name, warnings: all = [] }) =>
    all.map((text) => plainText(`warning: ${name}: ${text}`).replaceAll('\n', String.raw`\n`)),
  )
  if (troubles.length > 0) parts.push('', ...troubles)
  return parts.join('\n')
}
