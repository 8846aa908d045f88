// `--state`, `--desc` and `--compat`: the devices of a stream, through the description behind it or another's.

import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { textOfBytes } from '../../formats/qemu/description/description-sizes.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import type { DecodeOptions } from './options.ts'
import { CliError, EXIT_CODES } from '../../terminal/exit-codes.ts'
import { sayAside } from '../../terminal/standard-streams.ts'
import { faultOf, finderFor, type FindVmsd } from './descriptions.ts'
import { DeviceStates, type KeptSection } from './device-states.ts'
import { ParsedDescription } from './parsed-description.ts'
import { TextOutput } from './text-output.ts'
import { quoted } from './value-text.ts'
import { momentOf } from './moment.ts'
import { complain, walk, type WalkSettings } from './walk.ts'

/** QEVM and the version. */
const HEADER_BYTES = 8

export async function showDevices(
  path: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  const wanted = options.checkpoint === undefined ? undefined : [options.checkpoint]
  const states = new DeviceStates(options.desc ? [] : wanted)
  const parsed = new ParsedDescription()
  const walked = await walk(path, states, { ...settings, parsed })
  // Of what has no header nothing is told.
  if (walked.offset < HEADER_BYTES) complain(path, walked)
  states.finish()
  const out = new TextOutput()
  const find = () => finderFor(states, settings.other, parsed)
  try {
    if (options.desc && states.json === undefined) complain(path, walked)
    if (options.desc) await showDescription(path, options, settings.other ?? states, out)
    else if (options.compat) await showCompat(await find(), states, out)
    else {
      await showState(path, options, states, out, await find())
    }
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    throw new CliError('broken', `${path}: ${error.message}`, { cause: error })
  } finally {
    out.flush()
  }
  if (wanted !== undefined) momentOf(path, states, options.checkpoint, walked)
  complain(path, walked)
}

async function showDescription(
  path: string,
  options: DecodeOptions,
  { json, jsonOffset }: Pick<DeviceStates, 'json' | 'jsonOffset'>,
  out: TextOutput,
): Promise<void> {
  if (json === undefined) {
    throw new CliError('broken', `${path}: there is no description behind it (--desc-from FILE)`)
  }
  if (options.compat) out.add((await import('./compat.ts')).compatDescription(json))
  else if (options.format === 'json') out.add(`${textOfBytes(json)}\n`)
  else out.add((await import('./description-text.ts')).descriptionText(json, jsonOffset))
}

function tellMissing({ head, bytes }: KeptSection, reason: string): void {
  sayAside(`colo: ${head.idstr}, ${bytes.length} bytes: ${reason}\n`)
  process.exitCode = EXIT_CODES.broken.code
}

async function showCompat(find: FindVmsd, states: DeviceStates, out: TextOutput): Promise<void> {
  const { compatState } = await import('./compat.ts')
  compatState(states, find, out, tellMissing)
}

async function showState(
  path: string,
  options: DecodeOptions,
  states: DeviceStates,
  out: TextOutput,
  find: FindVmsd,
): Promise<void> {
  const isJson = options.format === 'json'
  const Visitor: new (from: BinaryInputVisitor, out: TextOutput) => OutputVisitor = isJson
    ? (await import('./state-json.ts')).StateJson
    : (await import('./state-text.ts')).StateText
  const number = states.last?.number ?? 0
  if (isJson) out.add(`{"stream":${quoted(path)},"checkpoint":${number},"sections":[\n`)
  for (const [index, section] of (states.last?.sections ?? []).entries()) {
    if (index > 0) out.add(isJson ? ',\n' : '\n')
    const show = isJson ? sectionJson : sectionText
    const fault = show(section, find, out, (from) => new Visitor(from, out))
    if (fault !== undefined) process.exitCode = EXIT_CODES.broken.code
    out.mayFlush()
  }
  if (isJson) out.add('\n]}\n')
}

type MakeVisitor = (from: BinaryInputVisitor) => OutputVisitor

function sectionText(
  section: KeptSection,
  find: FindVmsd,
  out: TextOutput,
  make: MakeVisitor,
): string | undefined {
  const { head, bodyOffset, bytes } = section
  const { idstr, sectionId, instanceId, versionId } = head
  out.add(
    `${idstr}: section ${sectionId}, instance ${instanceId}, version ${versionId}, ` +
      `${bytes.length} bytes at 0x${bodyOffset.toString(16)}\n`,
  )
  const from = new BinaryInputVisitor(QemuFileReader.over(bytes, bodyOffset))
  const fault = faultOf(section, find, from, make(from))
  if (fault !== undefined) out.add(`  ${fault}\n`)
  return fault
}

function sectionJson(
  section: KeptSection,
  find: FindVmsd,
  out: TextOutput,
  make: MakeVisitor,
): string | undefined {
  const { head, bodyOffset, bytes, delimiter } = section
  const { idstr, sectionId, instanceId, versionId, offset } = head
  out.add(
    `{"name":${quoted(idstr)},"sectionId":${sectionId},"instanceId":${instanceId},` +
      `"version":${versionId},"offset":${offset},"bodyOffset":${bodyOffset},` +
      `"size":${bytes.length},"endFoundBy":"${delimiter}","fields":[`,
  )
  const mark = out.mark
  const from = new BinaryInputVisitor(QemuFileReader.over(bytes, bodyOffset))
  const fault = faultOf(section, find, from, make(from))
  if (fault === undefined) {
    out.add(']}')
    return undefined
  }
  // What was written may be broken off inside of a struct: the bytes are given in its place.
  out.rewind(mark)
  const raw = new BinaryInputVisitor(QemuFileReader.over(bytes, bodyOffset))
  faultOf(section, () => undefined, raw, make(raw))
  out.add(`],"fault":${quoted(fault)}}`)
  return fault
}
