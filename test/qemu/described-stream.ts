// Small streams of our own writing for what decodes devices: one device with a field of each kind, described as QEMU
// describes it, and a COLO session with a checkpoint behind it.

import { deflateSync } from 'node:zlib'
import { BinaryOutputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { COMMAND_ENABLE_COLO } from '../../formats/qemu/stream/commands.ts'
import {
  COLO_REQUEST,
  COLO_VMSTATE_SEND,
  COLO_VMSTATE_SIZE,
} from '../../formats/qemu/stream/colo-session.ts'
import {
  SECTION_END,
  SECTION_FULL,
  SECTION_START,
  type SectionHead,
  type SectionType,
} from '../../formats/qemu/stream/migration-sink.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import { ObjectInputVisitor } from '../../formats/qemu/vmstate/object-visitor.ts'
import { QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { TeeOutputVisitor } from '../../formats/qemu/vmstate/tee-visitor.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { TreeOutputVisitor } from '../../formats/qemu/vmstate/tree-visitor.ts'
import { vmDescriptionJson } from '../../formats/qemu/description/vmdesc-writer.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesOut } from './bytes.ts'

const PAGE_BYTES = 4096

const point: VMStateDescription = {
  name: 'point',
  version_id: 1,
  fields: [
    { name: 'x', type: 'uint8' },
    { name: 'y', type: 'int16' },
  ],
}

const extra: VMStateDescription = {
  name: 'rich/extra',
  version_id: 1,
  fields: [{ name: 'more', type: 'uint32' }],
}

const vmsd: VMStateDescription = {
  name: 'rich',
  version_id: 2,
  fields: [
    { name: 'flag', type: 'bool' },
    { name: 'small', type: 'int8' },
    { name: 'wide', type: 'uint64' },
    { name: 'expires', type: 'timer' },
    { name: 'regs', type: 'uint32', count: 3 },
    { name: 'raw', type: 'buffer', size: 5 },
    { name: 'length', type: 'int32' },
    { name: 'sized', type: 'buffer', size: 'length' },
    { name: 'bits', type: 'bitmap', bits: 70 },
    { name: 'feature', type: 'capability' },
    { name: 'one', type: 'struct', vmsd: point },
    { name: 'two', type: 'struct', vmsd: point, count: 2 },
    { name: 'maybe', type: 'struct', vmsd: point, count: 2, pointers: true },
    { name: 'queue', type: 'qtailq', vmsd: point },
    { name: 'tree', type: 'gtree', vmsd: point },
  ],
  subsections: [extra],
}

const device = {
  ...{ flag: true, small: -3, wide: 2n ** 40n, expires: -1n, regs: [1, 2, 3] },
  ...{ raw: Uint8Array.of(1, 2, 3, 4, 5), length: 2, sized: Uint8Array.of(9, 8) },
  ...{ bits: new Uint8Array(16).fill(0x5a), feature: 'xbzrle', one: { x: 1, y: -2 } },
  two: [
    { x: 3, y: 4 },
    { x: 5, y: 6 },
  ],
  ...{ maybe: [null, null], queue: [{ x: 9, y: 9 }], more: 77 },
  tree: [{ key: 5n, value: { x: 1, y: 2 } }],
}

const head = (
  type: SectionType,
  sectionId: number,
  idstr: string,
  versionId: number,
): SectionHead => ({
  ...{ type, offset: 0, sectionId, idstr, instanceId: 0, versionId },
})

/** The device's body, and the JSON that describes it. */
export function richDevice(): { body: Uint8Array; json: string } {
  let json = ''
  const body = bytesOut((file) => {
    const binary = new BinaryOutputVisitor(file)
    const tree = new TreeOutputVisitor(binary)
    transfer(vmsd, new ObjectInputVisitor(device), new TeeOutputVisitor(binary, tree))
    if (tree.root === undefined) return
    json = vmDescriptionJson(PAGE_BYTES, [{ name: 'rich', instance_id: 0, tree: tree.root }])
  })
  return { body: new Uint8Array(body), json }
}

function writeDevice(out: MigrationWriter, body: Uint8Array, hasFooters: boolean): void {
  const section = head(SECTION_FULL, 5, 'rich', 2)
  out.sectionBegins(section)
  out.body(section, { offset: 0, bytes: body, delimiter: 'description' })
  out.sectionEnds(section, 0, hasFooters)
}

function writeRam(out: MigrationWriter, type: SectionType, hasFooters = true): void {
  const block = { name: 'ram', index: 0, usedBytes: 65_536 }
  const section = head(type, 2, 'ram', 4)
  out.sectionBegins(section)
  if (type === SECTION_START) out.blocks(0, [block])
  else for (let i = 0; i < 4; i++) out.zeroPage(block, i * PAGE_BYTES, i === 0 ? 0x02 : 0x22, 0)
  out.mark(0, 0x10)
  out.sectionEnds(section, 0, hasFooters)
}

function written(write: (out: MigrationWriter) => void): Uint8Array {
  const parts: Uint8Array[] = []
  const file = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) }, 4096)
  write(new MigrationWriter(file))
  file.flush()
  return new Uint8Array(Buffer.concat(parts))
}

/** A whole stream of the one device. Without footers, as they once were, memory comes first. */
export function describedStream(hasFooters = true): Uint8Array {
  const { body, json } = richDevice()
  return written((out) => {
    out.header(0, 3)
    if (!hasFooters) writeRam(out, SECTION_START, false)
    writeDevice(out, body, hasFooters)
    out.endOfItems()
    out.description(0, new TextEncoder().encode(json))
  })
}

/** Memory alone, a page in each of its forms: as it is, packed by zlib, and as the difference from what it was. */
export function memoryStream(): Uint8Array {
  const block = { name: 'ram', index: 0, usedBytes: 65_536 }
  const page = new Uint8Array(PAGE_BYTES).map((_, i) => i & 7)
  const packed = new Uint8Array(deflateSync(page))
  // 3 bytes are as they were, then 2 others; so again.
  const difference = Uint8Array.of(3, 2, 0xaa, 0xbb, 0x84, 1, 1, 0xcc)
  return written((out) => {
    out.header(0, 3)
    writeRam(out, SECTION_START)
    const section = head(SECTION_END, 2, 'ram', 4)
    out.sectionBegins(section)
    out.page(block, 0, 0x08, page, 0)
    out.xbzrlePage(block, 0, 0x60, difference, 0, difference.length)
    out.compressedPage(block, PAGE_BYTES, 0x120, packed, 0, packed.length)
    out.mark(0, 0x10)
    out.sectionEnds(section, 0, true)
    out.endOfItems()
  })
}

/** A migration with memory and a device, then one checkpoint of both, and a request that nobody answered. */
export function coloSession(): Uint8Array {
  const { body, json } = richDevice()
  return written((out) => {
    out.header(0, 3)
    out.command({ offset: 0, id: COMMAND_ENABLE_COLO, data: new Uint8Array() })
    writeRam(out, SECTION_START)
    writeRam(out, SECTION_END)
    writeDevice(out, body, true)
    out.endOfItems()
    out.description(0, new TextEncoder().encode(json))
    out.coloMessage(0, COLO_REQUEST, undefined)
    out.coloMessage(0, COLO_VMSTATE_SEND, undefined)
    writeRam(out, SECTION_END)
    out.endOfItems()
    const state = written((inner) => {
      writeDevice(inner, body, true)
      inner.endOfItems()
    })
    out.coloMessage(0, COLO_VMSTATE_SIZE, state.length)
    writeDevice(out, body, true)
    out.endOfItems()
    out.coloMessage(0, COLO_REQUEST, undefined)
  })
}

const CHANNEL_MAGIC = 0x1122_3344
const PLACES = 2

/** A page channel of multifd: its greeting, a packet of two pages of `ram` as `packed`, and one that syncs. */
export function pageChannel(flags: number, packed: Uint8Array): Uint8Array {
  return bytesOut((file) => {
    file.u32(CHANNEL_MAGIC)
    file.u32(1)
    for (let i = 0; i < 56; i++) file.u8(i)
    const packet = (itsFlags: number, pages: number, dataBytes: number, number: number) => {
      for (const word of [CHANNEL_MAGIC, 1, itsFlags, PLACES, pages, dataBytes]) file.u32(word)
      file.u64(BigInt(number))
      for (let i = 0; i < 32; i++) file.u8(0)
      for (let i = 0; i < 256; i++) file.u8('ram'.charCodeAt(i) || 0)
      for (let i = 0; i < PLACES; i++) file.u64(BigInt(i * PAGE_BYTES))
    }
    packet(flags, PLACES, packed.length, 0)
    for (const byte of packed) file.u8(byte)
    packet(1, 0, 0, 1)
  })
}
