// `--state`, `--desc` and `--compat`: the devices of a stream, through the description behind it or another's.

import { BinaryInputVisitor } from '../../shared/formats/qemu/binary-visitor.ts'
import { textOfBytes } from '../../shared/formats/qemu/description-sizes.ts'
import { QemuFileReader } from '../../shared/formats/qemu/qemu-file.ts'
import { QemuStreamError } from '../../shared/formats/qemu/qemu-stream-error.ts'
import { transfer } from '../../shared/formats/qemu/transfer.ts'
import type { OutputVisitor } from '../../shared/formats/qemu/visitor.ts'
import { readVmDescription } from '../../shared/formats/qemu/vmdesc.ts'
import type { VMStateDescription } from '../../shared/formats/qemu/vmstate.ts'
import type { DecodeOptions } from '../decode.ts'
import { CliError, EXIT_CODES } from '../exit-codes.ts'
import { compatDescription, compatState, type FindVmsd } from './compat.ts'
import { DeviceStates, type KeptSection } from './device-states.ts'
import { complain, descriptionOf } from './run.ts'
import { StateJson } from './state-json.ts'
import { StateText } from './state-text.ts'
import { quoted } from './value-text.ts'
import { walk, type WalkSettings } from './walk.ts'

export function findIn(json: Uint8Array, offset: number): FindVmsd {
  const found = new Map<string, VMStateDescription[]>()
  for (const { name, instance_id, vmsd } of readVmDescription(json, offset).devices) {
    const key = `${instance_id} ${name}`
    const known = found.get(key)
    if (known === undefined) found.set(key, [vmsd])
    else known.push(vmsd)
  }
  return ({ idstr, instanceId }, occurrence) => found.get(`${instanceId} ${idstr}`)?.at(occurrence)
}

export function showDevices(path: string, options: DecodeOptions, settings: WalkSettings): void {
  const wanted = options.checkpoint === undefined ? undefined : [options.checkpoint]
  const states = new DeviceStates(options.desc ? [] : wanted)
  const walked = walk(path, states, settings)
  states.finish()
  try {
    if (options.desc) showDescription(path, options, states)
    else showState(path, options, states)
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    throw new CliError('broken', `${path}: ${error.message}`, { cause: error })
  }
  complain(path, walked)
}

function showDescription(path: string, options: DecodeOptions, states: DeviceStates): void {
  const json = options.descFrom === undefined ? states.json : descriptionOf(options.descFrom).json
  if (json === undefined) {
    throw new CliError('broken', `${path}: there is no description behind it (--desc-from FILE)`)
  }
  if (options.compat) process.stdout.write(compatDescription(json))
  else process.stdout.write(`${textOfBytes(json)}\n`)
}

function showState(path: string, options: DecodeOptions, states: DeviceStates): void {
  const find = finderFor(options, states)
  const sections = states.last?.sections ?? []
  if (options.compat) {
    const missing = ({ head, bytes }: KeptSection, reason: string) => {
      process.stderr.write(`colo: ${head.idstr}, ${bytes.length} bytes: ${reason}\n`)
      process.exitCode = EXIT_CODES.broken.code
    }
    process.stdout.write(compatState(states, sections, find, missing))
    return
  }
  const decoded = sections.map((section) => decodeSection(section, find, options.format))
  if (decoded.some(({ fault }) => fault !== undefined)) process.exitCode = EXIT_CODES.broken.code
  if (options.format === 'text') {
    process.stdout.write(decoded.map(({ text }) => text).join('\n'))
    return
  }
  const moment = states.last?.number ?? 0
  const head = `{"stream":${quoted(path)},"checkpoint":${moment},"sections":[\n`
  process.stdout.write(`${head}${decoded.map(({ text }) => text).join(',\n')}\n]}\n`)
}

/** What finds a section's description: in another stream if one is named, else in this one. */
export function finderFor(options: DecodeOptions, states: DeviceStates): FindVmsd {
  const other = options.descFrom === undefined ? undefined : descriptionOf(options.descFrom)
  const json = other?.json ?? states.json
  if (json === undefined) return () => undefined
  return findIn(json, other?.jsonOffset ?? states.jsonOffset)
}

interface Decoded {
  readonly text: string
  readonly fault: string | undefined
}

function decodeSection(section: KeptSection, find: FindVmsd, format: 'text' | 'json'): Decoded {
  const { head, occurrence, bodyOffset, bytes, delimiter } = section
  const { idstr, sectionId, instanceId, versionId } = head
  const file = QemuFileReader.over(bytes, bodyOffset)
  const from = new BinaryInputVisitor(file)
  const to = format === 'text' ? new StateText(from) : new StateJson(from)
  const fault = faultOf(find(head, occurrence), from, to, bodyOffset + bytes.length)
  if (format === 'text') {
    const title = `${idstr}: section ${sectionId}, instance ${instanceId}, version ${versionId}, ${bytes.length} bytes at 0x${bodyOffset.toString(16)}\n`
    return { text: title + to.written + (fault === undefined ? '' : `  ${fault}\n`), fault }
  }
  const told =
    `{"name":${quoted(idstr)},"sectionId":${sectionId},"instanceId":${instanceId},` +
    `"version":${versionId},"offset":${head.offset},"bodyOffset":${bodyOffset},` +
    `"size":${bytes.length},"endFoundBy":"${delimiter}"`
  const end = fault === undefined ? '' : `,"fault":${quoted(fault)}`
  return { text: `${told},"fields":${to.written}${end}}`, fault }
}

/** Moves a section through its description, and says what does not fit. */
export function faultOf(
  vmsd: VMStateDescription | undefined,
  from: BinaryInputVisitor,
  to: OutputVisitor,
  end: number,
): string | undefined {
  if (vmsd === undefined) return 'there is no description of it'
  try {
    transfer(vmsd, from, to)
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    return `its description does not fit: ${error.message}`
  }
  const left = end - from.offset
  return left === 0 ? undefined : `its description does not fit: ${left} bytes are left`
}
