// A migration stream with one of everything that streams can have, also of what no stream of the corpus has:
// written by the reader's own counterpart, item by item.

import {
  SECTION_END,
  SECTION_FULL,
  SECTION_PART,
  SECTION_START,
  type RamBlock,
  type SectionHead,
  type SectionType,
} from '../../formats/qemu/stream/migration-sink.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import { QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { KeptBytes } from './bytes.ts'

const PAGE_BYTES = 4096
const CONTINUE = 0x20

const ram: RamBlock = { name: 'pc.ram', index: 0, usedBytes: 2 ** 24, pageBytes: 2n ** 21n }
const rom: RamBlock = { name: '/rom@etc/acpi', index: 1, usedBytes: 2 ** 16, address: 0xfffc_0000n }

const head = (
  type: SectionType,
  sectionId: number,
  idstr: string,
  versionId: number,
): SectionHead => ({
  type,
  offset: 0,
  sectionId,
  idstr,
  instanceId: 0,
  versionId,
})

function writeRam(out: MigrationWriter, hasFooters: boolean): void {
  const page = new Uint8Array(PAGE_BYTES).map((_, i) => i * 7)
  const start = head(SECTION_START, 2, 'ram', 4)
  out.sectionBegins(start)
  out.blocks(0, [
    { ...ram, pageBytes: undefined },
    { ...rom, address: undefined },
  ])
  out.mark(0, 0x10)
  out.sectionEnds(start, 0, hasFooters)
  const part = head(SECTION_PART, 2, 'ram', 4)
  out.sectionBegins(part)
  out.mark(0, 0x80)
  out.zeroPage(ram, 0, 0x02, 0)
  for (let i = 1; i < 300; i++) out.zeroPage(ram, i * PAGE_BYTES, 0x02 | CONTINUE, 0)
  out.zeroPage(ram, 2 ** 21, 0x02 | CONTINUE, 0)
  out.zeroPage(ram, 2 ** 22, 0x02 | CONTINUE, 0xaa)
  out.page(ram, 2 ** 23, 0x08 | CONTINUE, page, 0)
  out.page(rom, 0, 0x08, page, 0)
  out.page(rom, PAGE_BYTES, 0x08, page, 0)
  out.mark(0, 0x200)
  out.mark(0, 0x10)
  out.sectionEnds(part, 0, hasFooters)
  const end = head(SECTION_END, 2, 'ram', 4)
  out.sectionBegins(end)
  out.xbzrlePage(rom, 0, 0x40 | CONTINUE, page, 5, 9)
  out.compressedPage(rom, 0, 0x100, page, 0, 20)
  out.mark(0, 0x10)
  out.sectionEnds(end, 0, hasFooters)
}

function writeDisks(out: MigrationWriter): void {
  const start = head(SECTION_START, 3, 'block', 1)
  out.sectionBegins(start)
  out.diskChunk('drive0', 2048n, 9, undefined)
  out.diskMark(40n, 4)
  out.diskMark(0n, 2)
  out.sectionEnds(start, 0, true)
  const bitmap = head(SECTION_START, 4, 'dirty-bitmap', 1)
  out.sectionBegins(bitmap)
  const record = { offset: 0, node: 'node', bitmap: 'b0' }
  out.dirtyBitmap({ ...record, flags: 0x1c, granularity: 65_536, bitmapFlags: 1 })
  out.dirtyBitmap({ ...record, flags: 0x4c, sector: 8n, sectors: 64, bits: Uint8Array.of(1, 2) })
  out.dirtyBitmap({ offset: 0, flags: 1 })
  out.sectionEnds(bitmap, 0, true)
}

function writeDevices(out: MigrationWriter, hasFooters: boolean): string {
  const timer = head(SECTION_FULL, 5, 'timer', 2)
  out.sectionBegins(timer)
  const ticks = Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 1)
  out.body(timer, { offset: 0, bytes: ticks, delimiter: 'description' })
  out.sectionEnds(timer, 0, hasFooters)
  const slirp = head(SECTION_FULL, 6, 'slirp', 4)
  out.sectionBegins(slirp)
  out.body(slirp, { offset: 0, bytes: Uint8Array.of(9, 8, 7), delimiter: 'description' })
  out.sectionEnds(slirp, 0, hasFooters)
  const field = '{"name": "ticks", "type": "uint64", "size": 8}'
  const data = '{"name": "data", "size": 3, "type": "buffer"}'
  return (
    `{"page_size": ${PAGE_BYTES}, "devices": [` +
    `{"name": "timer", "instance_id": 0, "vmsd_name": "timer", "version": 2, "fields": [${field}]}, ` +
    `{"name": "slirp", "instance_id": 0, "size": 3, "fields": [${data}]}]}`
  )
}

/** Of a target whose pages are not 4096 bytes, and which does not say so but in its description, if at all. */
export function streamOfPages(pageBytes: number, isDescribed: boolean): Uint8Array {
  const kept = new KeptBytes()
  const file = new QemuFileWriter(kept)
  const out = new MigrationWriter(file)
  out.header(0, 3)
  out.configuration({ offset: 0, machine: 'sun4u', subsections: [], capabilities: [], pageBytes })
  const start = head(SECTION_START, 2, 'ram', 4)
  out.sectionBegins(start)
  out.blocks(0, [{ ...ram, pageBytes: undefined }])
  out.zeroPage(ram, 0, 0x02, 0)
  out.zeroPage(ram, pageBytes, 0x02 | CONTINUE, 0)
  const page = new Uint8Array(pageBytes).map((_, i) => i * 3)
  out.page(ram, 2 * pageBytes, 0x08 | CONTINUE, page, 0)
  out.mark(0, 0x10)
  out.sectionEnds(start, 0, true)
  out.endOfItems()
  const json = `{"page_size": ${pageBytes}, "devices": []}`
  if (isDescribed) out.description(0, new TextEncoder().encode(json))
  file.flush()
  return kept.bytes
}

/** Two devices of one name and instance, as `isapc` has them. The first has a bool that is 2. */
export function streamOfTwins(): Uint8Array {
  const kept = new KeptBytes()
  const file = new QemuFileWriter(kept)
  const out = new MigrationWriter(file)
  out.header(0, 3)
  for (const [id, body] of [
    [3, Uint8Array.of(2)],
    [4, Uint8Array.of(1, 2)],
  ] as const) {
    const twin = head(SECTION_FULL, id, 'twin', 1)
    out.sectionBegins(twin)
    out.body(twin, { offset: 0, bytes: body, delimiter: 'description' })
    out.sectionEnds(twin, 0, true)
  }
  out.endOfItems()
  const twin = (type: string, size: number) =>
    '{"name": "twin", "instance_id": 0, "vmsd_name": "twin", "version": 1, "fields": ' +
    `[{"name": "x", "type": "${type}", "size": ${size}}]}`
  const json = `{"page_size": 4096, "devices": [${twin('bool', 1)}, ${twin('uint16', 2)}]}`
  out.description(0, new TextEncoder().encode(json))
  file.flush()
  return kept.bytes
}

/** Two checkpoints, and the request of a third. */
function writeSession(out: MigrationWriter): void {
  const page = new Uint8Array(PAGE_BYTES).map((_, i) => i * 5)
  const end = head(SECTION_END, 2, 'ram', 4)
  const state = new KeptBytes()
  const file = new QemuFileWriter(state)
  const inside = new MigrationWriter(file)
  writeDevices(inside, true)
  inside.endOfItems()
  file.flush()
  for (let i = 0; i < 2; i++) {
    out.coloMessage(0, 1, undefined)
    out.coloMessage(0, 3, undefined)
    out.sectionBegins(end)
    if (i === 0) {
      out.page(rom, 0, 0x08 | CONTINUE, page, 0)
      out.page(ram, 0, 0x08, page, 0)
    }
    out.zeroPage(ram, PAGE_BYTES, 0x02 | CONTINUE, 0)
    out.mark(0, 0x10)
    out.sectionEnds(end, 0, true)
    out.endOfItems()
    out.coloMessage(0, 4, state.bytes.length)
    out.body(end, { offset: 0, bytes: state.bytes, delimiter: 'footer' })
  }
  out.coloMessage(0, 1, undefined)
}

/** How long the session is that `colo` has behind its first migration. */
export function sessionBytes(): number {
  const kept = new KeptBytes()
  const file = new QemuFileWriter(kept)
  writeSession(new MigrationWriter(file))
  file.flush()
  return kept.bytes.length
}

export type MadeKind = 'whole' | 'old' | 'postcopy' | 'shared' | 'colo'
export const MADE_KINDS: readonly MadeKind[] = ['whole', 'old', 'postcopy', 'shared', 'colo']

/**
 * `whole`: with all that a stream of today can have, and padding behind it. `old`: neither configuration nor
 * footers, as machine types up to 2.3. `postcopy`: devices in a package, and no description. `shared`: blocks with
 * addresses. `colo`: a session of COLO, with two checkpoints.
 */
export function madeStream(kind: MadeKind): Uint8Array {
  const kept = new KeptBytes()
  const file = new QemuFileWriter(kept)
  const out = new MigrationWriter(file)
  out.header(0, 3)
  if (kind !== 'old') writeConfiguration(out, kind)
  if (kind === 'whole') out.command({ offset: 0, id: 2, data: Uint8Array.of(0, 0, 0, 1) })
  if (kind === 'colo') out.command({ offset: 0, id: 8, data: new Uint8Array() })
  if (kind === 'postcopy') writePackage(out)
  else if (kind === 'shared') writeSharedBlocks(out)
  else {
    writeRam(out, kind !== 'old')
    if (kind === 'whole') writeDisks(out)
    const json = writeDevices(out, kind !== 'old')
    out.endOfItems()
    out.description(0, new TextEncoder().encode(json))
    if (kind === 'whole') out.padding(0, 1000)
    if (kind === 'colo') writeSession(out)
  }
  if (kind === 'postcopy' || kind === 'shared') out.endOfItems()
  file.flush()
  return kept.bytes
}

function writeConfiguration(out: MigrationWriter, kind: MadeKind): void {
  const uuid = new Uint8Array(16).map((_, i) => i)
  const capability = Uint8Array.of(0, 0, 0, 1, 15, ...new TextEncoder().encode('x-ignore-shared'))
  const subsections = [
    {
      offset: 0,
      name: 'configuration/target-page-bits',
      version: 1,
      body: Uint8Array.of(0, 0, 0, 12),
    },
    { offset: 0, name: 'configuration/capabilities', version: 1, body: capability },
    { offset: 0, name: 'configuration/uuid', version: 1, body: uuid },
  ].filter(({ name }) => kind === 'shared' || !name.endsWith('capabilities'))
  out.configuration({ offset: 0, machine: 'pc-i440fx-7.2', subsections, capabilities: [] })
}

function writePackage(out: MigrationWriter): void {
  const advise = new Uint8Array(16)
  new DataView(advise.buffer).setBigUint64(0, (2n ** 21n) | 4096n)
  new DataView(advise.buffer).setBigUint64(8, 4096n)
  out.command({ offset: 0, id: 3, data: advise })
  const start = head(SECTION_START, 2, 'ram', 4)
  out.sectionBegins(start)
  out.blocks(0, [ram])
  out.mark(0, 0x10)
  out.sectionEnds(start, 0, true)
  const kept = new KeptBytes()
  const file = new QemuFileWriter(kept)
  const inside = new MigrationWriter(file)
  inside.command({ offset: 0, id: 4, data: new Uint8Array() })
  writeDevices(inside, true)
  inside.command({ offset: 0, id: 5, data: new Uint8Array() })
  inside.endOfItems()
  file.flush()
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, kept.bytes.length)
  out.command({ offset: 0, id: 7, data: length })
  // The items of the package follow their command, as they are.
  out.body(start, { offset: 0, bytes: kept.bytes, delimiter: 'footer' })
}

function writeSharedBlocks(out: MigrationWriter): void {
  const start = head(SECTION_START, 2, 'ram', 4)
  out.sectionBegins(start)
  out.blocks(0, [{ ...ram, pageBytes: undefined, address: 0n }, rom])
  out.zeroPage(rom, 0, 0x02, 0)
  out.mark(0, 0x10)
  out.sectionEnds(start, 0, true)
}
