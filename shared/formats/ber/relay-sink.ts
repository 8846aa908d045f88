// Hands what a walk says on to another sink, which may be exchanged on the way: what comes behind the end of a
// stream is another sink's.

import type {
  Configuration,
  DirtyBitmapRecord,
  MigrationSink,
  OpaqueBody,
  RamBlock,
  SectionHead,
  StreamCommand,
} from '../qemu/migration-sink.ts'

export class RelaySink implements MigrationSink {
  to: MigrationSink

  constructor(to: MigrationSink) {
    this.to = to
  }

  header(offset: number, version: number): void {
    this.to.header(offset, version)
  }

  configuration(configuration: Configuration): void {
    this.to.configuration(configuration)
  }

  command(command: StreamCommand): void {
    this.to.command(command)
  }

  packageEnds(offset: number): void {
    this.to.packageEnds(offset)
  }

  sectionBegins(head: SectionHead): void {
    this.to.sectionBegins(head)
  }

  body(head: SectionHead, body: OpaqueBody): void {
    this.to.body(head, body)
  }

  sectionEnds(head: SectionHead, end: number, hasFooter: boolean): void {
    this.to.sectionEnds(head, end, hasFooter)
  }

  endOfItems(offset: number): void {
    this.to.endOfItems(offset)
  }

  description(offset: number, json: Uint8Array): void {
    this.to.description(offset, json)
  }

  coloMessage(offset: number, code: number, size: number | undefined): void {
    this.to.coloMessage(offset, code, size)
  }

  deviceStateEnds(offset: number): void {
    this.to.deviceStateEnds(offset)
  }

  padding(offset: number, length: number): void {
    this.to.padding(offset, length)
  }

  blocks(offset: number, blocks: readonly RamBlock[]): void {
    this.to.blocks(offset, blocks)
  }

  zeroPage(block: RamBlock, address: number, flags: number, fill: number): void {
    this.to.zeroPage(block, address, flags, fill)
  }

  page(block: RamBlock, address: number, flags: number, bytes: Uint8Array, start: number): void {
    this.to.page(block, address, flags, bytes, start)
  }

  xbzrlePage(
    block: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.to.xbzrlePage(block, address, flags, bytes, start, length)
  }

  compressedPage(
    block: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.to.compressedPage(block, address, flags, bytes, start, length)
  }

  mark(high: number, low: number): void {
    this.to.mark(high, low)
  }

  diskChunk(device: string, sector: bigint, flags: number, bytes: Uint8Array | undefined): void {
    this.to.diskChunk(device, sector, flags, bytes)
  }

  diskMark(value: bigint, flags: number): void {
    this.to.diskMark(value, flags)
  }

  dirtyBitmap(record: DirtyBitmapRecord): void {
    this.to.dirtyBitmap(record)
  }
}
