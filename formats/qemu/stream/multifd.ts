// The page channels of multifd: connections beside the main stream that carry full pages only. What they say is
// ordered against the main stream by sync packets: at each end of a ram section, every channel is read up to its
// next one. Each channel is a file beside the stream when it was recorded so. How its pages are packed, if they
// are, a channel says in each packet, and it is one method from first to last: what unpacks them refers back.

import type { RamBlock, RamSink } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError, type QemuStreamErrorCode } from '../file/qemu-stream-error.ts'
import { RAM_PAGE } from './ram-section.ts'

const CHANNEL_MAGIC = 0x1122_3344
const CHANNEL_VERSION = 1
const FLAG_SYNC = 1
/** Those of the methods of later QEMUs too. */
const METHOD_MASK = 0x1e
const UUID_BYTES = 16
const GREETING_RESERVED_BYTES = 7 + 32
const PACKET_RESERVED_BYTES = 32
const NAME_BYTES = 256
/** QEMU's packets have 128. */
const PAGES_MAX = 1024

/** By their bits in a packet's flags. */
const METHODS: Readonly<Record<number, MultifdMethod>> = {
  0: 'none',
  [1 << 1]: 'zlib',
  [2 << 1]: 'zstd',
}

export type MultifdMethod = 'none' | PackingMethod
export type PackingMethod = 'zlib' | 'zstd'

/** What is wrong with packed bytes, and where in them. */
export interface UnpackFault {
  readonly at: number
  readonly rule: string
}

/** Unpacks what one channel's packets hold, in their order: each may refer back to those before. */
export interface ChannelUnpacker {
  /** What a packet holds, which must be `length` bytes; they are good until the next call. */
  unpack(packed: Uint8Array, length: number): Uint8Array | UnpackFault
}

/** Makes an unpacker for a channel of that method. */
export type Unpackers = Readonly<Record<PackingMethod, () => ChannelUnpacker>>

export class MultifdChannel {
  readonly #file: QemuFileReader
  readonly #sink: Pick<RamSink, 'page'>
  readonly #unpackers: Unpackers
  readonly #pageBytes: number
  #unpacker: ChannelUnpacker | undefined
  /** From 0; the greeting says it. */
  readonly id: number
  /** Of all its pages; unknown until one came. */
  method: MultifdMethod | undefined
  pages = 0
  packets = 0
  /** Of pages as they lie in the channel. */
  packedBytes = 0
  /** Packets are numbered from 0, all channels together; now and then QEMU gives one number twice. */
  highestNumber = -1
  /**
   * A sync that comes while QEMU sends a packet of pages goes out with that packet, and takes its number; sooner or
   * later an empty packet without a sync follows in its place, unless the migration was over before.
   */
  owesEcho = false

  /** Reads the greeting. Raises bad-magic, bad-version, truncated. */
  constructor(
    file: QemuFileReader,
    sink: Pick<RamSink, 'page'>,
    unpackers: Unpackers,
    pageBytes = 4096,
  ) {
    this.#file = file
    this.#sink = sink
    this.#unpackers = unpackers
    this.#pageBytes = pageBytes
    file.item = 'greeting of a multifd channel'
    if (file.u32() !== CHANNEL_MAGIC) this.#refuse('bad-magic', 'no page channel of multifd')
    if (file.u32() !== CHANNEL_VERSION) this.#refuse('bad-version', 'of another version than 1')
    file.skip(UUID_BYTES)
    this.id = file.u8()
    file.skip(GREETING_RESERVED_BYTES)
    file.item = `multifd channel ${this.id}`
  }

  /** Reads packets up to and with the next that syncs. Raises bad-ram, truncated. */
  readToSync(blocks: readonly RamBlock[]): void {
    do {
      if (this.#file.atEnd) this.#refuse('truncated', 'the channel ends where a packet was due')
    } while (!this.#readPacket(blocks))
  }

  /** Reads what lies behind the last sync: packets without pages. Raises bad-ram, truncated. */
  readRest(): void {
    while (!this.#file.atEnd) this.#readPacket([])
  }

  #readPacket(blocks: readonly RamBlock[]): boolean {
    const file = this.#file
    if (file.u32() !== CHANNEL_MAGIC) this.#refuse('bad-ram', 'a packet without its magic number')
    if (file.u32() !== CHANNEL_VERSION) this.#refuse('bad-ram', 'a packet of another version')
    const flags = file.u32()
    const places = file.u32()
    const count = file.u32()
    const dataBytes = file.u32()
    this.packets++
    this.highestNumber = Math.max(this.highestNumber, Number(file.u64()))
    file.skip(PACKET_RESERVED_BYTES)
    if (places > PAGES_MAX || count > places) {
      this.#refuse('bad-ram', `a packet of ${count} pages, with places for ${places}`)
    }
    const name = file.take(NAME_BYTES)
    let text = ''
    for (let i = 0; i < NAME_BYTES && name[i] !== 0; i++) text += String.fromCharCode(name[i] ?? 0)
    const addresses: number[] = []
    for (let i = 0; i < places; i++) {
      const address = Number(file.u64())
      if (i < count) addresses.push(address)
    }
    const isSync = (flags & FLAG_SYNC) !== 0
    if (isSync === count > 0) this.owesEcho = isSync
    // Without pages the length is a left-over of the packet before.
    if (count > 0) this.#readPages(this.#blockOf(text, blocks), addresses, flags, dataBytes)
    return isSync
  }

  #blockOf(name: string, blocks: readonly RamBlock[]): RamBlock {
    const block = blocks.find((one) => one.name === name)
    return block ?? this.#refuse('bad-ram', `pages of ${JSON.stringify(name)}, which is not listed`)
  }

  #readPages(block: RamBlock, addresses: number[], flags: number, dataBytes: number): void {
    const pageBytes = this.#pageBytes
    const due = addresses.length * pageBytes
    this.#checkMethod(flags & METHOD_MASK)
    if (dataBytes > 2 * due + 4096)
      this.#refuse('bad-ram', `${dataBytes} bytes for ${due} of pages`)
    for (const address of addresses) {
      if (address % pageBytes === 0 && address + pageBytes <= block.usedBytes) continue
      const rule = 'where it has none'
      this.#refuse('bad-ram', `a page at 0x${address.toString(16)} of ${block.name}, ${rule}`)
    }
    const bytes = this.#unpacked(dataBytes, due)
    this.packedBytes += dataBytes
    for (const [index, address] of addresses.entries()) {
      this.pages++
      this.#sink.page(block, address, RAM_PAGE, bytes, index * pageBytes)
    }
  }

  #checkMethod(bits: number): void {
    const method = METHODS[bits]
    if (method === undefined) {
      this.#refuse(
        'bad-ram',
        `pages packed by a method that QEMU 7.2 has not: 0x${bits.toString(16)}`,
      )
    }
    if (this.method === undefined) {
      this.method = method
      if (method !== 'none') this.#unpacker = this.#unpackers[method]()
    } else if (this.method !== method) {
      this.#refuse('bad-ram', `the channel changes its method from ${this.method} to ${method}`)
    }
  }

  #unpacked(dataBytes: number, due: number): Uint8Array {
    const file = this.#file
    const { offset } = file
    const bytes = file.take(dataBytes)
    const unpacked = this.#unpacker === undefined ? bytes : this.#unpacker.unpack(bytes, due)
    if ('rule' in unpacked) {
      const rule = `${this.method}: ${unpacked.rule}`
      return this.#refuse('bad-ram', rule, offset + unpacked.at)
    }
    if (unpacked.length === due) return unpacked
    const rule = `a packet of ${unpacked.length} bytes, where its pages have ${due}`
    return this.#refuse('bad-ram', rule, offset)
  }

  #refuse(code: QemuStreamErrorCode, rule: string, offset = this.#file.offset): never {
    throw new QemuStreamError(code, offset, this.#file.item, rule)
  }
}
