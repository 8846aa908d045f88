// The tables of the documents, each made from the table that the code walks, so that what is printed is what
// is enforced. Their names are those of the markers in the documents.

import { z } from 'zod'
import { EXIT_CODES } from '../../terminal/exit-codes.ts'
import { WITNESS_KINDS } from '../../daemon/config.ts'
import { DIRTY_MODES } from '../../keepers/wasm/guest-module.ts'
import {
  VERBS,
  operatorMessageSchema,
  peerMessageSchema,
} from '../../shared/protocol/control-messages.ts'
import { SURVIVAL } from '../../shared/failover/survival.ts'
import { berErrorCodes } from '../../formats/ber/ber-error.ts'
import type { FieldKind, Layout } from '../../formats/xen/body-layout.ts'
import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { LIBXL } from '../../formats/xen/libxl-records.ts'
import type { Leads, LengthRule, RecordSpec } from '../../formats/xen/record-spec.ts'
import { savevmTraceEvents } from '../../formats/qemu/trace/savevm-trace.ts'
import { loadvmTraceEvents } from '../../formats/qemu/trace/loadvm-trace.ts'
import { qemuStreamErrorCodes } from '../../formats/qemu/file/qemu-stream-error.ts'
import { vmstateTraceEvents } from '../../formats/qemu/vmstate/trace-events.ts'
import { type VMStateType, vmstateTypes } from '../../formats/qemu/vmstate/vmstate-types.ts'
import { streamErrorCodes } from '../../formats/xen/stream-error.ts'
import { findingCodes, severities } from '../../formats/xen/verify/finding.ts'
import { octetDiagram } from '../../formats/xen/verify/octet-diagram.ts'
import { DELAYS, DELAY_NAMES } from '../../shared/protocol/delays.ts'
import { ERRORS } from '../../shared/protocol/errors.ts'
import { RULES } from '../../shared/protocol/invariants.ts'
import { LIMITS, LIMIT_MEANINGS, type LimitName } from '../../shared/protocol/limits.ts'
import { MESSAGES } from '../../shared/protocol/words.ts'
import { STATES } from '../../shared/protocol/states.ts'
import { STAGES, TRIGGERS } from '../../shared/protocol/rows.ts'
import { DIFFERENCES } from '../guests/kv-differences.ts'
import type { Tables } from './documents.ts'
import { kvCommands } from './kv-commands.ts'

const code = (text: string) => `\`${text}\``

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** A table of names and their meanings. */
function meanings(what: string, words: Readonly<Record<string, string>>): string {
  const rows = Object.entries(words).map(([name, meaning]) => [code(name), meaning])
  return table([what, 'means'], rows)
}

export const optionOf = (name: string) =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

function formatRows(events: Readonly<Record<string, string>>): string[][] {
  return Object.entries(events).map(([name, format]) => {
    return [code(name), format === '' ? '' : code(format)]
  })
}

function delays(): string {
  const rows = DELAY_NAMES.map((name) => {
    const { ms, meaning, whenItPasses } = DELAYS[name]
    return [code(name), String(ms), meaning, whenItPasses]
  })
  return table(['delay', 'default, ms', 'how long', 'when it passes'], rows)
}

function delayOptions(): string {
  const rows = DELAY_NAMES.map((name) => {
    const { ms, meaning, whenItPasses } = DELAYS[name]
    return [code(`${optionOf(name)} N`), String(ms), `${meaning}; then ${whenItPasses}`]
  })
  return table(['option', 'default, ms', 'meaning'], rows)
}

const UNITS = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const

function amount(name: string, value: number): string {
  if (!name.includes('Bytes')) return String(value)
  const unit = UNITS.find(([, bytes]) => value >= bytes && value % bytes === 0)
  return unit ? `${value / unit[1]} ${unit[0]}` : `${value} B`
}

function limits(): string {
  const names = Object.keys(LIMITS) as LimitName[]
  return table(
    ['limit', 'value', 'on what'],
    names.map((name) => [code(name), amount(name, LIMITS[name]), LIMIT_MEANINGS[name]]),
  )
}

function errors(): string {
  const rows = Object.entries(ERRORS).map(([name, { wanted, meaning, wayOut }]) => {
    return [code(name), wanted ? 'yes' : 'no', meaning, wayOut]
  })
  return table(['code', 'wanted', 'what happened', 'way out'], rows)
}

function survival(): string {
  const rows = SURVIVAL.map(({ at, when, gives }) => {
    const guards = when.length > 0 ? when.map(code).join(' and ') : 'otherwise'
    return [code(at), guards, code(gives)]
  })
  return table(['moment', 'when all of this holds', 'verdict'], rows)
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, { readonly const?: unknown }>>
  readonly required?: readonly string[]
}

/** One row a message: the fields, those that may be missing with a question mark. */
function controlMessages(): string {
  const rows = [...peerMessageSchema.options, ...operatorMessageSchema.options].map((option) => {
    const { properties = {}, required = [] } = z.toJSONSchema(option) as JsonSchema
    const fields = Object.keys(properties).filter((name) => name !== 'type')
    const words = fields.map((name) => code(required.includes(name) ? name : `${name}?`))
    return [code(String(properties.type?.const)), words.join(', ') || 'nothing more']
  })
  const once = new Map(rows.map((row) => [row[0], row]))
  return table(['`type`', 'fields'], [...once.values()])
}

const FIELD_WORDS: Readonly<Record<string, string>> = {
  count: 'u32, counts the list',
  bytes: 'all that is left',
  zero32: 'u32, zero',
  zero48: '6 bytes, zero',
}

function fieldWords(kind: FieldKind): string {
  if (typeof kind === 'string') return FIELD_WORDS[kind] ?? kind
  const [element] = kind
  return element === 'u64' ? 'list of u64' : `list of { ${layoutWords(element)} }`
}

function layoutWords(layout: Layout): string {
  return Object.entries(layout)
    .map(([name, kind]) => `${name}: ${fieldWords(kind)}`)
    .join('; ')
}

function lengthWords({ min, max, step }: LengthRule): string {
  if (min === max) return String(min)
  return step > 1 ? `${min} or more, in steps of ${step}` : `${min} or more`
}

function leadsWords(leads: Leads): string[] {
  return Object.entries(leads).map(([from, to]) => (from === to ? from : `${from} → ${to}`))
}

function ruleWords(spec: RecordSpec): string {
  const rules: string[] = []
  if (spec.refused !== undefined) rules.push(`refused: ${spec.refused}`)
  if (spec.guest !== undefined) rules.push(`only ${spec.guest.toUpperCase()}`)
  if (spec.imageVersion !== undefined) rules.push(`since image version ${spec.imageVersion}`)
  if (spec.once === true) rules.push('once in an image')
  if (spec.plainOnly === true) rules.push('only in plain streams')
  if (spec.needs) rules.push(`after ${spec.needs.map(({ name }) => name).join(', ')}`)
  return rules.join('; ')
}

function records(rows: Readonly<Record<string, RecordSpec>>): string {
  const sorted = Object.values(rows).toSorted((a, b) => a.type - b.type)
  return table(
    ['type', 'record', 'body', 'body_length', 'where it may stand, and where it leads', 'rules'],
    sorted.map((spec) => [
      `0x${spec.type.toString(16)}`,
      spec.name,
      layoutWords(spec.layout) || 'empty',
      lengthWords(spec.length),
      [
        ...leadsWords(spec.leads),
        ...leadsWords(spec.flat ?? {}).map((way) => `(flat: ${way})`),
      ].join('; '),
      ruleWords(spec),
    ]),
  )
}

/** Every record of a layer, drawn. */
function diagrams(rows: Readonly<Record<string, RecordSpec>>): string {
  const sorted = Object.values(rows).toSorted((a, b) => a.type - b.type)
  return sorted
    .map((spec) => [`**${spec.name}**`, '', '```', ...octetDiagram(spec), '```'].join('\n'))
    .join('\n\n')
}

function exitCodes(): string {
  const rows = Object.values(EXIT_CODES).map((row) => [String(row.code), row.meaning])
  return table(['exit code', 'means'], rows)
}

const KIND_WORDS: Readonly<Record<VMStateType['kind'], string>> = {
  int: 'number',
  int64: 'bigint',
  bool: 'one byte, 0 or 1; boolean',
  bytes: 'Uint8Array of `size` bytes',
  bitmap: 'words of 64 bits; Uint8Array',
  text: 'its length in one byte, then each character one; string',
  null: 'the byte 0x30; null',
  struct: 'its fields and subsections; object',
  list: '1 and an element, as often as there are any, then 0; array',
  tree: 'be32 count; 1, a key and a value for each, then 0; array of `{ key, value }`',
}

function typeWords(type: VMStateType): string {
  if (!('bytes' in type)) return KIND_WORDS[type.kind]
  const sign = type.signed ? 'signed' : 'unsigned'
  const plain = `${sign}, ${8 * type.bytes} bits, big-endian; ${KIND_WORDS[type.kind]}`
  if (type.check === undefined) return plain
  const rule = type.check === 'equal' ? 'the same here' : 'between 0 and the value here'
  return `${plain}; must be ${rule}`
}

function vmstateTypeRows(): string {
  const rows = Object.entries<VMStateType>(vmstateTypes)
  return table(
    ['type', 'on the wire; in the device'],
    rows.map(([name, type]) => [code(name), typeWords(type)]),
  )
}

function traceEvents(events: Readonly<Record<string, readonly string[]>>): string {
  const rows = Object.entries(events).map(([name, args]) => [code(name), args.join(', ')])
  return table(['event', 'arguments'], rows)
}

export const TABLES: Tables = {
  messages: () =>
    table(
      ["QEMU's word", 'sender', 'on the wire', 'means'],
      Object.entries(MESSAGES).map(([name, row]) => [
        code(name),
        row.sender,
        row.wire,
        row.meaning,
      ]),
    ),
  delays,
  'delay-options': delayOptions,
  limits,
  states: () => meanings('state', STATES),
  errors,
  verbs: () =>
    table(
      ['verb', 'needs the token', 'means'],
      Object.entries(VERBS).map(([name, row]) => [
        code(name),
        row.changes ? 'yes' : 'no',
        row.meaning,
      ]),
    ),
  survival,
  rules: () => meanings('rule', RULES),
  stages: () => meanings('stage', STAGES),
  triggers: () => meanings('trigger', TRIGGERS),
  'control-messages': controlMessages,
  'records-libxl': () => records(LIBXL),
  'records-libxc': () => records(LIBXC),
  'diagrams-libxl': () => diagrams(LIBXL),
  'diagrams-libxc': () => diagrams(LIBXC),
  'finding-codes': () => meanings('code', findingCodes),
  severities: () => meanings('severity', severities),
  'stream-errors': () => meanings('code', streamErrorCodes),
  'ber-errors': () => meanings('code', berErrorCodes),
  'qemu-stream-errors': () => meanings('code', qemuStreamErrorCodes),
  'loadvm-trace-events': () => table(['event', 'format'], formatRows(loadvmTraceEvents)),
  'savevm-trace-events': () => table(['event', 'format'], formatRows(savevmTraceEvents)),
  'vmstate-types': vmstateTypeRows,
  'vmstate-trace-events': () => traceEvents(vmstateTraceEvents),
  'exit-codes': exitCodes,
  witnesses: () => meanings('witness', WITNESS_KINDS),
  dirty: () => meanings('--dirty', DIRTY_MODES),
  'kv-commands': () => {
    const rows = kvCommands().map(({ usage, meaning }) => [code(usage), meaning])
    return table(['command', 'does'], rows)
  },
  'kv-differences': () => {
    const rows = DIFFERENCES.map(({ of, here, redis }) => [of, here, redis])
    return table(['of', 'here', 'Redis 7'], rows)
  },
}
