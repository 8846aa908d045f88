// `--diff` and `--diff-checkpoint`: the fields that differ between two states of the same machine, be they of two
// streams or of two checkpoints of one session.

import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import type { DecodeOptions } from './options.ts'
import { CliError } from '../../terminal/exit-codes.ts'
import { faultOf, finderFor, type FindVmsd } from './descriptions.ts'
import { DeviceStates, type KeptSection, type Moment } from './device-states.ts'
import { FieldList, type FieldRow } from './field-list.ts'
import { momentOf } from './moment.ts'
import { TextOutput } from './text-output.ts'
import { bytesText, innerText } from './value-text.ts'
import { complain, walk, type Walked, type WalkSettings } from './walk.ts'

interface Side {
  readonly name: string
  /** The stream, and how its walk ended. */
  readonly path: string
  readonly walked: Walked
  readonly moment: Moment
  readonly find: FindVmsd
}

interface Difference {
  readonly device: string
  readonly path: string
  readonly left: FieldRow | undefined
  readonly right: FieldRow | undefined
}

/** Exit code 0 whether or not they differ: differences are what was asked for. */
export async function showDifferences(
  path: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  const sides =
    options.diff === undefined
      ? await twoCheckpoints(path, options, settings)
      : await twoStreams(path, options.diff, options, settings)
  const out = new TextOutput()
  const all = differences(...sides)
  if (options.format === 'json') out.add(`${JSON.stringify(all.map(jsonOf), undefined, 2)}\n`)
  else for (const one of all) out.add(`${textOf(one)}\n`)
  const [left, right] = sides
  if (options.format === 'text') {
    out.add(`${all.length} fields differ between ${left.name} and ${right.name}\n`)
  }
  out.flush()
  for (const side of sides) complain(side.path, side.walked)
}

async function twoStreams(
  path: string,
  other: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<[Side, Side]> {
  const read = async (file: string, checkpoint: number | undefined): Promise<Side> => {
    const states = new DeviceStates(checkpoint === undefined ? undefined : [checkpoint])
    const walked = await walk(file, states, settings)
    states.finish()
    // Of what has nothing to compare, the reason is said.
    if (states.last === undefined || states.json === undefined) complain(file, walked)
    return {
      ...{ name: file, path: file, walked },
      moment: momentOf(file, states, checkpoint, walked),
      find: await finderFor(states, settings.other),
    }
  }
  const { checkpoint, diffCheckpoint = checkpoint } = options
  return [await read(path, checkpoint), await read(other, diffCheckpoint)]
}

async function twoCheckpoints(
  path: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<[Side, Side]> {
  const { checkpoint, diffCheckpoint } = options
  if (checkpoint === undefined || diffCheckpoint === undefined) {
    throw new CliError('usage', '--diff-checkpoint N goes with --checkpoint M')
  }
  const states = new DeviceStates([checkpoint, diffCheckpoint])
  const walked = await walk(path, states, settings)
  states.finish()
  const find = await finderFor(states, settings.other)
  const side = (number: number): Side => {
    const name = `checkpoint ${number}`
    return { ...{ name, path, walked }, moment: momentOf(path, states, number, walked), find }
  }
  return [side(checkpoint), side(diffCheckpoint)]
}

function rowsOf(section: KeptSection, find: FindVmsd): Map<string, FieldRow> {
  const from = new BinaryInputVisitor(QemuFileReader.over(section.bytes, section.bodyOffset))
  const list = new FieldList(from)
  faultOf(section, find, from, list)
  return new Map(list.rows.map((row) => [row.path, row]))
}

const keyOf = ({ head, occurrence }: KeptSection) =>
  `${head.idstr}${head.instanceId > 0 ? ` ${head.instanceId}` : ''}${occurrence > 0 ? ` (${occurrence + 1})` : ''}`

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i])
}

export function differences(left: Side, right: Side): Difference[] {
  const found: Difference[] = []
  const rights = new Map(right.moment.sections.map((section) => [keyOf(section), section]))
  const lefts = new Set<string>()
  for (const section of left.moment.sections) {
    const device = keyOf(section)
    lefts.add(device)
    const other = rights.get(device)
    if (other === undefined) {
      found.push({ device, path: '', left: wholeRow(section), right: undefined })
    } else if (!isSame(section.bytes, other.bytes)) {
      addDifferences(found, device, rowsOf(section, left.find), rowsOf(other, right.find))
    }
  }
  for (const [device, section] of rights) {
    if (!lefts.has(device)) {
      found.push({ device, path: '', left: undefined, right: wholeRow(section) })
    }
  }
  return found
}

function addDifferences(
  found: Difference[],
  device: string,
  left: ReadonlyMap<string, FieldRow>,
  right: ReadonlyMap<string, FieldRow>,
): void {
  for (const [path, row] of left) {
    const other = right.get(path)
    if (other === undefined) found.push({ device, path, left: row, right: undefined })
    else if (row.bytes !== undefined && other.bytes !== undefined) {
      if (!isSame(row.bytes, other.bytes)) addInner(found, device, row, other)
    } else if (row.value !== other.value) found.push({ device, path, left: row, right: other })
  }
  for (const [path, row] of right) {
    if (!left.has(path)) found.push({ device, path, left: undefined, right: row })
  }
}

/** What differs within bytes whose inside is known; else the bytes from the first that differs. */
function addInner(found: Difference[], device: string, left: FieldRow, right: FieldRow): void {
  const ours = innerRows(left)
  const others = innerRows(right)
  const count = found.length
  for (const [path, one] of ours) {
    const other = others.get(path)
    if (one.bytes !== undefined && other?.bytes !== undefined) {
      if (!isSame(one.bytes, other.bytes)) addBytes(found, device, one, other)
    } else if (other?.value !== one.value) found.push({ device, path, left: one, right: other })
  }
  for (const [path, other] of others) {
    if (!ours.has(path)) found.push({ device, path, left: undefined, right: other })
  }
  if (found.length === count) addBytes(found, device, left, right)
}

/** Bytes of the same name, from the first that differs. */
function addBytes(found: Difference[], device: string, left: FieldRow, right: FieldRow): void {
  const ours = left.bytes ?? new Uint8Array()
  const others = right.bytes ?? new Uint8Array()
  const shorter = Math.min(ours.length, others.length)
  const other = ours.findIndex((byte, i) => byte !== others[i])
  const first = other < 0 ? shorter : other
  const from = (row: FieldRow): FieldRow => {
    const bytes = row.bytes?.subarray(first, first + BYTES_SHOWN) ?? new Uint8Array()
    return { ...row, offset: row.offset + first, value: bytesText(bytes, ' ') }
  }
  const path = `${left.path} byte ${first}`
  found.push({ device, path, left: from(left), right: from(right) })
}

/** What is inside of bytes, by path. */
function innerRows({ path, type, offset, bytes = new Uint8Array() }: FieldRow) {
  const rows = innerValues(type, bytes).map((inner): [string, FieldRow] => {
    const inside = `${path} ${inner.name}`
    const place = { path: inside, type, offset: offset + inner.at, size: inner.size }
    const row = { ...place, value: innerText(inner) }
    return [inside, typeof inner.value === 'object' ? { ...row, bytes: inner.value } : row]
  })
  return new Map(rows)
}

const BYTES_SHOWN = 16

function wholeRow({ head, bytes, bodyOffset }: KeptSection): FieldRow {
  const value = `${bytes.length} bytes`
  return { path: head.idstr, type: 'device', offset: bodyOffset, size: bytes.length, value }
}

function textOf({ device, path, left, right }: Difference): string {
  return `${device}  ${path}  ${left?.value ?? 'absent'} -> ${right?.value ?? 'absent'}`
}

function jsonOf({ device, path, left, right }: Difference): object {
  return { device, path, left: sideJson(left), right: sideJson(right) }
}

function sideJson(row: FieldRow | undefined): object | null {
  return row === undefined ? null : { offset: row.offset, size: row.size, value: row.value }
}
