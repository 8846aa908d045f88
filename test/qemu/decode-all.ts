// Everything that `colo decode` does with a stream, one way each: whatever bytes come, it ends in a result or in a
// QemuStreamError. Whoever makes streams, by chance or guided, holds them against this.

import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { Occurrences } from '../../formats/qemu/description/description-sizes.ts'
import { LoadvmTracer } from '../../formats/qemu/trace/loadvm-trace.ts'
import type {
  MigrationSink,
  OpaqueBody,
  RamBlock,
  SectionHead,
} from '../../formats/qemu/stream/migration-sink.ts'
import { MigrationStream } from '../../formats/qemu/stream/migration-stream.ts'
import { MultifdChannel, type Unpackers } from '../../formats/qemu/stream/multifd.ts'
import { QemuFileReader, sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError, qemuStreamErrorCodes } from '../../formats/qemu/file/qemu-stream-error.ts'
import { traceLine } from '../../formats/qemu/trace/trace-line.ts'
import { RamImage, type RamStore } from '../../formats/qemu/stream/ram-image.ts'
import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import { quickDescription } from '../../formats/qemu/description/vmdesc-quick.ts'
import {
  findVmDevice,
  readVmDescription,
  type VmDescription,
} from '../../formats/qemu/description/vmdesc.ts'
import { compatState } from '../../tools/decode/compat.ts'
import { faultOf, type FindVmsd } from '../../tools/decode/descriptions.ts'
import { DeviceStates, type KeptSection } from '../../tools/decode/device-states.ts'
import { FieldList } from '../../tools/decode/field-list.ts'
import { StateJson } from '../../tools/decode/state-json.ts'
import { StateText } from '../../tools/decode/state-text.ts'
import { Summary } from '../../tools/decode/summary.ts'
import { summaryJson, summaryText } from '../../tools/decode/summary-text.ts'
import { TextOutput } from '../../tools/decode/text-output.ts'
import { inflatePage, ZlibChannel } from '../../tools/decode/zlib-pages.ts'
import { ZstdChannel } from '../../tools/decode/zstd-pages.ts'

const SMALL_BUFFER_BYTES = 256

const nowhere: RamStore = { open: () => {}, write: () => {}, fill: () => {}, read: () => {} }

/** What came of it: 'whole' or another ending, or the code of the QemuStreamError. Raises what else is raised. */
export function outcomeOf(read: () => string): string {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    if (!(error.code in qemuStreamErrorCodes)) throw error
    if (!(error.offset >= 0) || error.rule === '') throw error
    return error.code
  }
}

function descriptionOf(json: Uint8Array, offset: number): VmDescription {
  try {
    const quick = quickDescription(JSON.parse(Buffer.from(json).toString('latin1')))
    if (quick !== undefined) return quick
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return readVmDescription(json, offset)
}

function finderOf({ json, jsonOffset }: DeviceStates): FindVmsd {
  if (json === undefined) return () => undefined
  const description = descriptionOf(json, jsonOffset)
  return ({ idstr, instanceId }, occurrence) =>
    findVmDevice(description, idstr, instanceId, Math.max(0, occurrence))?.vmsd
}

/** How the walk ended; what a listener heard until then counts all the same. */
function walk(bytes: Uint8Array, sink: MigrationSink): string {
  return outcomeOf(() => new MigrationStream(QemuFileReader.over(bytes), sink).read())
}

/** The devices of the last moment, each through a visitor of this kind. */
export function decodeDevices(bytes: Uint8Array): string {
  const states = new DeviceStates()
  const ending = walk(bytes, states)
  states.finish()
  const faults = outcomeOf(() => {
    const find = finderOf(states)
    const texts = [new TextOutput(true), new TextOutput(true)] as const
    for (const section of states.last?.sections ?? []) decodeSection(section, find, texts)
    compatState(states, find, new TextOutput(true), () => {})
    return ending
  })
  return faults
}

function decodeSection(
  section: KeptSection,
  find: FindVmsd,
  [text, json]: readonly [TextOutput, TextOutput],
): void {
  const makers: ((from: BinaryInputVisitor) => OutputVisitor)[] = [
    (from) => new FieldList(from),
    (from) => new StateText(from, text),
    (from) => new StateJson(from, json),
  ]
  const faults = makers.map((make) => {
    const from = new BinaryInputVisitor(QemuFileReader.over(section.bytes, section.bodyOffset))
    return faultOf(section, find, from, make(from))
  })
  // How much of an array was due differs: some take it whole.
  if (new Set(faults.map((fault) => fault?.split(': ', 2).join())).size > 1) {
    throw new Error(`different faults: ${faults.join('; ')}`)
  }
}

/** What memory the guest has at the end. */
export function decodeRam(bytes: Uint8Array): string {
  return walk(bytes, new RamImage(nowhere, inflatePage))
}

export function decodeSummary(bytes: Uint8Array): string {
  const summary = new Summary()
  const ending = walk(bytes, summary)
  summary.finish()
  JSON.parse(summaryJson(summary, 'a', {}))
  if (summaryText(summary, 'a', [ending]) === '') throw new Error('no summary')
  return ending
}

export function decodeTrace(bytes: Uint8Array): string {
  const states = new DeviceStates([])
  walk(bytes, states)
  return outcomeOf(() => {
    const find = finderOf(states)
    const seen = new Occurrences()
    let occurrence = 0
    const trace = (event: string, ...args: (string | number)[]) => void traceLine(event, args)
    const describe = (head: SectionHead) => {
      occurrence = seen.next(head.idstr, head.instanceId)
      return find(head, occurrence)?.name
    }
    const load = (head: SectionHead, { bytes: body, offset, delimiter }: OpaqueBody) => {
      const section = { head, occurrence, bytes: body, bodyOffset: offset, delimiter }
      const from = new BinaryInputVisitor(QemuFileReader.over(body, offset))
      faultOf(section, find, from, new FieldList(from), { trace })
    }
    return walk(bytes, new LoadvmTracer(trace, describe, load))
  })
}

/** However small the buffer is that the walk reads with, it ends the same. */
export function decodeInPieces(bytes: Uint8Array): string {
  const ends = [
    QemuFileReader.over(bytes),
    new QemuFileReader(sourceOf(bytes), SMALL_BUFFER_BYTES),
  ].map((file) => messageOf(() => new MigrationStream(file, new DeviceStates([])).read()))
  if (ends[0] !== ends[1]) throw new Error(`${ends[0]}, in pieces: ${ends[1]}`)
  return ends[0]?.split(' ', 1)[0] ?? ''
}

function messageOf(read: () => string): string {
  let message = ''
  const outcome = outcomeOf(() => {
    try {
      return read()
    } catch (error) {
      message = String(error)
      throw error
    }
  })
  return message === '' ? outcome : message.replace('QemuStreamError: ', '')
}

const UNPACKERS: Unpackers = { zlib: () => new ZlibChannel(), zstd: () => new ZstdChannel() }

/** A page channel of multifd beside a stream with one block, `ram`. */
export function decodeChannel(bytes: Uint8Array): string {
  return outcomeOf(() => {
    const blocks: RamBlock[] = [{ name: 'ram', index: 0, usedBytes: 65_536 }]
    const file = new QemuFileReader(sourceOf(bytes), SMALL_BUFFER_BYTES)
    const page = (
      _block: RamBlock,
      address: number,
      _flags: number,
      from: Uint8Array,
      at: number,
    ) => {
      if (from.length < at + 4096 || address + 4096 > 65_536) throw new Error('no whole page')
    }
    const channel = new MultifdChannel(file, { page }, UNPACKERS)
    while (!file.atEnd) channel.readToSync(blocks)
    return 'whole'
  })
}

/** The ways that a stream can be decoded; page channels are not among them. */
export const WAYS: readonly ((bytes: Uint8Array) => string)[] = [
  decodeDevices,
  decodeInPieces,
  decodeTrace,
  decodeRam,
  decodeSummary,
]

/** Each way once; the first that is not whole tells. */
export function decodeAll(bytes: Uint8Array): string {
  const outcomes = WAYS.map((decode) => decode(bytes))
  return outcomes.find((one) => one in qemuStreamErrorCodes) ?? 'whole'
}
