// The page channels of multifd: connections beside the main stream that carry full pages only. What they say is
// ordered against the main stream by sync packets: at each end of a ram section, every channel is read up to its
// next one. Each channel is a file beside the stream when it was recorded so.

import type { RamBlock, RamSink } from './migration-sink.ts'
import type { QemuFileReader } from './qemu-file.ts'
import { QemuStreamError } from './qemu-stream-error.ts'
import { RAM_PAGE } from './ram-section.ts'

const CHANNEL_MAGIC = 0x1122_3344
const CHANNEL_VERSION = 1
const FLAG_SYNC = 1
const METHOD_MASK = 0x0e
const METHOD_ZLIB = 1 << 1
const GREETING_REST_BYTES = 16 + 1 + 7 + 32
const PACKET_RESERVED_BYTES = 32
const NAME_BYTES = 256
/** QEMU's packets have 128. */
const PAGES_MAX = 1024

/** Unpacks what a channel's one zlib stream gives for one packet; `length` is due. */
export interface ChannelInflater {
  inflate(packed: Uint8Array, length: number): Uint8Array | undefined
}

export class MultifdChannel {
  readonly #file: QemuFileReader
  readonly #sink: Pick<RamSink, 'page'>
  readonly #inflater: ChannelInflater
  readonly #pageBytes: number
  pages = 0
  packets = 0
  /** Packets are numbered from 0, all channels together; now and then QEMU gives one number twice. */
  highestNumber = -1

  /** Reads the greeting. Raises bad-magic, bad-version. */
  constructor(
    file: QemuFileReader,
    sink: Pick<RamSink, 'page'>,
    inflater: ChannelInflater,
    pageBytes = 4096,
  ) {
    this.#file = file
    this.#sink = sink
    this.#inflater = inflater
    this.#pageBytes = pageBytes
    file.item = 'greeting of a multifd channel'
    if (file.u32() !== CHANNEL_MAGIC) this.#refuse('bad-magic', 'no page channel of multifd')
    if (file.u32() !== CHANNEL_VERSION) this.#refuse('bad-version', 'of another version than 1')
    file.skip(GREETING_REST_BYTES)
  }

  get atEnd(): boolean {
    return this.#file.atEnd
  }

  /** Reads packets up to and with the next that syncs, or to the end. Raises bad-ram, truncated. */
  readToSync(blocks: readonly RamBlock[]): void {
    while (!this.#file.atEnd && !this.#readPacket(blocks)) {
      // The packet was one of pages: the next is due.
    }
  }

  #readPacket(blocks: readonly RamBlock[]): boolean {
    const file = this.#file
    file.item = 'packet of a multifd channel'
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
    // Without pages the length is a left-over of the packet before.
    if (count > 0) this.#readPages(this.#blockOf(text, blocks), addresses, flags, dataBytes)
    return (flags & FLAG_SYNC) !== 0
  }

  #blockOf(name: string, blocks: readonly RamBlock[]): RamBlock {
    const block = blocks.find((one) => one.name === name)
    return block ?? this.#refuse('bad-ram', `pages of ${JSON.stringify(name)}, which is not listed`)
  }

  #readPages(block: RamBlock, addresses: number[], flags: number, dataBytes: number): void {
    const file = this.#file
    const pageBytes = this.#pageBytes
    const due = addresses.length * pageBytes
    const method = flags & METHOD_MASK
    if (dataBytes > 2 * due + 4096)
      this.#refuse('bad-ram', `${dataBytes} bytes for ${due} of pages`)
    let bytes: Uint8Array | undefined = file.take(dataBytes)
    if (method === METHOD_ZLIB) bytes = this.#inflater.inflate(bytes, due)
    else if (method !== 0) this.#refuse('bad-ram', 'pages packed by zstd, which is not read here')
    if (bytes?.length !== due) {
      return this.#refuse('bad-ram', `what a packet holds is not ${addresses.length} pages`)
    }
    for (const [index, address] of addresses.entries()) {
      if (address + pageBytes > block.usedBytes) {
        this.#refuse(
          'bad-ram',
          `a page at 0x${address.toString(16)} of ${block.name}, behind its end`,
        )
      }
      this.pages++
      this.#sink.page(block, address, RAM_PAGE, bytes, index * pageBytes)
    }
  }

  #refuse(code: 'bad-magic' | 'bad-version' | 'bad-ram', rule: string): never {
    throw new QemuStreamError(code, this.#file.offset, this.#file.item, rule)
  }
}
