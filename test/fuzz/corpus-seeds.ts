// Seeds from the corpus beside the checkout, as inputs of a target; none where it is not there. Of QEMU's streams
// each device is one seed: a stream with that device alone, and what describes it.

import { SECTION_FULL, type SectionHead } from '../../formats/qemu/stream/migration-sink.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import { QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { corpusBytes, corpusFiles } from '../formats/corpus.ts'
import { corpusIsHere, readDescribedStream, type DeviceSection } from '../qemu/device-sections.ts'
import type { FormatName } from './formats.ts'

const STREAMS = ['microvm-virtio-mmio', 'q35-storage', 'isapc', 'aarch64-virt-gicv3']
const BODY_BYTES_MAX = 4096
/** Small streams of Xen only: one with many pages is slow, and shows nothing more. */
const XEN_BYTES_MAX = 1500

function streamOf({ device, version_id, body }: DeviceSection, json: string): Uint8Array {
  const parts: Uint8Array[] = []
  const file = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) }, 4096)
  const out = new MigrationWriter(file)
  const { name: idstr, instance_id: instanceId } = device
  const head: SectionHead = {
    type: SECTION_FULL,
    offset: 0,
    sectionId: 5,
    idstr,
    instanceId,
    versionId: version_id,
  }
  out.header(0, 3)
  out.sectionBegins(head)
  out.body(head, { offset: 0, bytes: body, delimiter: 'description' })
  out.sectionEnds(head, 0, true)
  out.endOfItems()
  out.description(0, new TextEncoder().encode(json))
  file.flush()
  return new Uint8Array(Buffer.concat(parts))
}

interface ParsedDevices {
  readonly page_size: number
  readonly devices: readonly unknown[]
}

function* devicesOf(
  name: string,
  isWanted: (section: DeviceSection, json: string) => boolean,
): Generator<{ stream: Uint8Array; json: string }> {
  const { json, sections } = readDescribedStream(name)
  // Keys that repeat are lost, and with them the lists: the reader of such a description says so.
  const { page_size, devices } = JSON.parse(Buffer.from(json).toString('latin1')) as ParsedDevices
  for (const [index, section] of sections.entries()) {
    if (section.body.length > BODY_BYTES_MAX) continue
    const one = JSON.stringify({ page_size, devices: [devices[index]] })
    if (isWanted(section, one)) yield { stream: streamOf(section, one), json: one }
  }
}

/** Inputs for the target of this format; `ask` makes inputs of a stream. */
export function corpusSeeds(
  format: FormatName,
  ask: ((stream: Uint8Array) => readonly Uint8Array[]) | undefined,
): readonly Uint8Array[] {
  if (format === 'xen') {
    const streams = corpusFiles().map(corpusBytes)
    return streams.filter(({ length }) => length < XEN_BYTES_MAX).flatMap((one) => ask?.(one) ?? [])
  }
  if (!corpusIsHere || !['qemu', 'ber', 'descriptions'].includes(format)) return []
  // Many devices are in more than one stream.
  const seen = new Set<string>()
  const isNew = ({ device: { vmsd } }: DeviceSection, json: string) => {
    const key = `${vmsd.name} ${vmsd.version_id} ${json.length}`
    return !seen.has(key) && seen.add(key) !== undefined
  }
  const found = STREAMS.flatMap((name) => [...devicesOf(name, isNew)])
  if (format === 'descriptions') return found.map(({ json }) => new TextEncoder().encode(json))
  return found.flatMap(({ stream }) => ask?.(stream) ?? [])
}
