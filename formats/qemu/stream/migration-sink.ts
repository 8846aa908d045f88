// What the walk through a migration stream says on its way, in the order of the stream and without losing a
// byte: whoever writes down all that these methods are given has written the stream again. Bytes are lent for the
// call only. A listener extends SilentSink and overrides what it wants to hear.

export const SECTION_START = 1 as const
export const SECTION_PART = 2
export const SECTION_END = 3
export const SECTION_FULL = 4

export type SectionType = 1 | 2 | 3 | 4

/** For PART and END, names and numbers are those that START gave. */
export interface SectionHead {
  readonly type: SectionType
  /** Of the section's first byte, its type. */
  readonly offset: number
  readonly sectionId: number
  readonly idstr: string
  readonly instanceId: number
  readonly versionId: number
}

/** How the end of a section whose body has no length of its own was found. */
export type Delimiter = 'description' | 'footer' | 'next head' | 'end of stream'

/** A body that only a description can take apart: of a SECTION_FULL, or of a live section of an unknown kind. */
export interface OpaqueBody {
  /** Of its first byte. */
  readonly offset: number
  readonly bytes: Uint8Array
  readonly delimiter: Delimiter
}

export interface ConfigurationSubsection {
  readonly offset: number
  readonly name: string
  readonly version: number
  readonly body: Uint8Array
}

export interface Configuration {
  readonly offset: number
  /** The machine type; each character one byte. */
  readonly machine: string
  readonly subsections: readonly ConfigurationSubsection[]
  /** 2 to the power of configuration/target-page-bits, if that is there. */
  readonly pageBytes?: number
  /** What configuration/capabilities lists. */
  readonly capabilities: readonly string[]
}

export interface StreamCommand {
  readonly offset: number
  readonly id: number
  readonly data: Uint8Array
}

/** A block of guest memory, as the ram section's list of blocks gives it. */
export interface RamBlock {
  readonly name: string
  /** Its place in the list. */
  readonly index: number
  readonly usedBytes: number
  /** Given with postcopy for blocks whose pages are not the host's. */
  readonly pageBytes?: bigint
  /** Given with x-ignore-shared: where the block lies in the guest. */
  readonly address?: bigint
}

/** Records of a ram section. `flags` are the low bits of a record's first word as they came. */
export interface RamSink {
  /** MEM_SIZE: the list of blocks, complete. */
  blocks(offset: number, blocks: readonly RamBlock[]): void
  zeroPage(block: RamBlock, address: number, flags: number, fill: number): void
  /** The page's bytes begin at `bytes[start]`. */
  page(block: RamBlock, address: number, flags: number, bytes: Uint8Array, start: number): void
  /** A page as its difference from the last one received (0x40), `length` bytes. */
  xbzrlePage(
    block: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void
  /** A page as a zlib stream (0x100), `length` bytes. */
  compressedPage(
    block: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void
  /** A record that is only a word: HOOK, MULTIFD_FLUSH, EOS. The word is high x 2^32 + low. */
  mark(high: number, low: number): void
}

/** Records of the sections `block` and `dirty-bitmap`. */
export interface DiskSink {
  /** 1 MiB of a disk from `sector` on (of 512 bytes); no bytes when it is all zero. `flags` as they came. */
  diskChunk(device: string, sector: bigint, flags: number, bytes: Uint8Array | undefined): void
  /** Of the section `block`: PROGRESS (percent done in place of the sector) or EOS. */
  diskMark(value: bigint, flags: number): void
  dirtyBitmap(record: DirtyBitmapRecord): void
}

export interface DirtyBitmapRecord {
  readonly offset: number
  readonly flags: number
  readonly node?: string
  readonly bitmap?: string
  /** START: bytes that one bit stands for, and the flags of the bitmap. */
  readonly granularity?: number
  readonly bitmapFlags?: number
  /** BITS: where they begin, how many sectors they cover, and the bits unless all are zero. */
  readonly sector?: bigint
  readonly sectors?: number
  readonly bits?: Uint8Array
}

export interface MigrationSink extends RamSink, DiskSink {
  header(offset: number, version: number): void
  configuration(configuration: Configuration): void
  command(command: StreamCommand): void
  /** Behind the last item of a package of postcopy (command PACKAGED). */
  packageEnds(offset: number): void
  sectionBegins(head: SectionHead): void
  /** The whole body of a section that has no records. */
  body(head: SectionHead, body: OpaqueBody): void
  /** `end` is the offset behind the body; a footer, if there is one, takes the next 5 bytes. */
  sectionEnds(head: SectionHead, end: number, hasFooter: boolean): void
  /** The byte 0x00 between items. */
  endOfItems(offset: number): void
  /** The JSON description, its bytes; `offset` is that of the item (0x06). */
  description(offset: number, json: Uint8Array): void
  /** A message of the COLO loop. `size` is that of the device state behind vmstate-size. */
  coloMessage(offset: number, code: number, size: number | undefined): void
  /** Behind the device state of a checkpoint. */
  deviceStateEnds(offset: number): void
  /** Bytes behind the end of the stream, all zero: padding of a file. */
  padding(offset: number, length: number): void
}

/** Hears everything and does nothing. */
export class SilentSink implements MigrationSink {
  header(_offset: number, _version: number): void {}
  configuration(_configuration: Configuration): void {}
  command(_command: StreamCommand): void {}
  packageEnds(_offset: number): void {}
  sectionBegins(_head: SectionHead): void {}
  body(_head: SectionHead, _body: OpaqueBody): void {}
  sectionEnds(_head: SectionHead, _end: number, _hasFooter: boolean): void {}
  endOfItems(_offset: number): void {}
  description(_offset: number, _json: Uint8Array): void {}
  coloMessage(_offset: number, _code: number, _size: number | undefined): void {}
  deviceStateEnds(_offset: number): void {}
  padding(_offset: number, _length: number): void {}
  blocks(_offset: number, _blocks: readonly RamBlock[]): void {}
  zeroPage(_block: RamBlock, _address: number, _flags: number, _fill: number): void {}
  page(_b: RamBlock, _address: number, _flags: number, _bytes: Uint8Array, _start: number): void {}
  xbzrlePage(
    _block: RamBlock,
    _address: number,
    _flags: number,
    _bytes: Uint8Array,
    _start: number,
    _length: number,
  ): void {}
  compressedPage(
    _block: RamBlock,
    _address: number,
    _flags: number,
    _bytes: Uint8Array,
    _start: number,
    _length: number,
  ): void {}
  mark(_high: number, _low: number): void {}
  diskChunk(_device: string, _sector: bigint, _flags: number, _bytes?: Uint8Array): void {}
  diskMark(_value: bigint, _flags: number): void {}
  dirtyBitmap(_record: DirtyBitmapRecord): void {}
}
