// The other direction of the walk: a sink that writes down what it hears. Walking a stream into it gives the same
// bytes, which is the proof that the walk loses nothing; and a converter of streams writes with it.

import {
  BITMAP_BITS,
  BITMAP_NAME,
  BITMAP_NODE,
  BITMAP_START,
  BITMAP_ZEROES,
} from './disk-sections.ts'
import {
  SECTION_FULL,
  SECTION_START,
  type Configuration,
  type DirtyBitmapRecord,
  type MigrationSink,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
  type StreamCommand,
} from './migration-sink.ts'
import type { QemuFileWriter } from '../file/qemu-file.ts'
import { PAGE_BYTES_DEFAULT, RAM_CONTINUE, RAM_MEM_SIZE } from './ram-section.ts'
import {
  ITEM_COMMAND,
  ITEM_CONFIGURATION,
  ITEM_DESCRIPTION,
  ITEM_EOF,
  ITEM_FOOTER,
  ITEM_SUBSECTION,
  STREAM_MAGIC,
} from '../file/stream-items.ts'

const TWO_32 = 0x1_0000_0000

export class MigrationWriter implements MigrationSink {
  readonly #file: QemuFileWriter
  #pageBytes = PAGE_BYTES_DEFAULT

  constructor(file: QemuFileWriter) {
    this.#file = file
  }

  header(_offset: number, version: number): void {
    this.#file.u32(STREAM_MAGIC)
    this.#file.u32(version)
  }

  configuration({ machine, subsections, pageBytes }: Configuration): void {
    const file = this.#file
    file.u8(ITEM_CONFIGURATION)
    file.u32(machine.length)
    for (let i = 0; i < machine.length; i++) file.u8(machine.charCodeAt(i))
    for (const { name, version, body } of subsections) {
      file.u8(ITEM_SUBSECTION)
      file.str8(name)
      file.u32(version)
      file.bytes(body)
    }
    this.#pageBytes = pageBytes ?? this.#pageBytes
  }

  command({ id, data }: StreamCommand): void {
    this.#file.u8(ITEM_COMMAND)
    this.#file.u16(id)
    this.#file.u16(data.length)
    this.#file.bytes(data)
  }

  /** A package has no end of its own: its length is in the command. */
  packageEnds(): void {}

  sectionBegins({ type, sectionId, idstr, instanceId, versionId }: SectionHead): void {
    const file = this.#file
    file.u8(type)
    file.u32(sectionId)
    if (type !== SECTION_START && type !== SECTION_FULL) return
    file.str8(idstr)
    file.u32(instanceId)
    file.u32(versionId)
  }

  body(_head: SectionHead, { bytes }: OpaqueBody): void {
    this.#file.bytes(bytes)
  }

  sectionEnds({ sectionId }: SectionHead, _end: number, hasFooter: boolean): void {
    if (!hasFooter) return
    this.#file.u8(ITEM_FOOTER)
    this.#file.u32(sectionId)
  }

  endOfItems(): void {
    this.#file.u8(ITEM_EOF)
  }

  description(_offset: number, json: Uint8Array): void {
    this.#file.u8(ITEM_DESCRIPTION)
    this.#file.u32(json.length)
    this.#file.bytes(json)
  }

  coloMessage(_offset: number, code: number, size: number | undefined): void {
    this.#file.u32(code)
    if (size !== undefined) this.#file.u64(BigInt(size))
  }

  deviceStateEnds(): void {}

  padding(_offset: number, length: number): void {
    for (let i = 0; i < length; i++) this.#file.u8(0)
  }

  blocks(_offset: number, blocks: readonly RamBlock[]): void {
    const file = this.#file
    let total = 0n
    for (const { usedBytes } of blocks) total += BigInt(usedBytes)
    file.u64(total | BigInt(RAM_MEM_SIZE))
    for (const { name, usedBytes, pageBytes, address } of blocks) {
      file.str8(name)
      file.u64(BigInt(usedBytes))
      if (pageBytes !== undefined) file.u64(pageBytes)
      if (address !== undefined) file.u64(address)
    }
  }

  zeroPage(block: RamBlock, address: number, flags: number, fill: number): void {
    this.#record(block, address, flags)
    this.#file.u8(fill)
  }

  page(block: RamBlock, address: number, flags: number, bytes: Uint8Array, start: number): void {
    this.#record(block, address, flags)
    this.#file.bytes(bytes.subarray(start, start + this.#pageBytes))
  }

  xbzrlePage(
    block: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.#record(block, address, flags)
    this.#file.u8(1)
    this.#file.u16(length)
    this.#file.bytes(bytes.subarray(start, start + length))
  }

  compressedPage(
    block: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.#record(block, address, flags)
    this.#file.u32(length)
    this.#file.bytes(bytes.subarray(start, start + length))
  }

  mark(high: number, low: number): void {
    this.#file.u32(high)
    this.#file.u32(low)
  }

  diskChunk(device: string, sector: bigint, flags: number, bytes: Uint8Array | undefined): void {
    this.#file.u64((sector << 9n) | BigInt(flags))
    this.#file.str8(device)
    if (bytes !== undefined) this.#file.bytes(bytes)
  }

  diskMark(value: bigint, flags: number): void {
    this.#file.u64((value << 9n) | BigInt(flags))
  }

  dirtyBitmap(record: DirtyBitmapRecord): void {
    const file = this.#file
    const { flags } = record
    file.u8(flags)
    if ((flags & BITMAP_NODE) !== 0) file.str8(record.node ?? '')
    if ((flags & BITMAP_NAME) !== 0) file.str8(record.bitmap ?? '')
    if ((flags & BITMAP_START) !== 0) {
      file.u32(record.granularity ?? 0)
      file.u8(record.bitmapFlags ?? 0)
    }
    if ((flags & BITMAP_BITS) === 0) return
    file.u64(record.sector ?? 0n)
    file.u32(record.sectors ?? 0)
    if ((flags & BITMAP_ZEROES) !== 0 || record.bits === undefined) return
    file.u64(BigInt(record.bits.length))
    file.bytes(record.bits)
  }

  #record(block: RamBlock, address: number, flags: number): void {
    this.#file.u32(Math.floor(address / TWO_32))
    this.#file.u32((address % TWO_32) + flags)
    if ((flags & RAM_CONTINUE) === 0) this.#file.str8(block.name)
  }
}
