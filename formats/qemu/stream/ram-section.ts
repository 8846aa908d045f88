// The body of section "ram": records of a word each, whose low bits are flags and whose rest is an address in a
// block. A stream has millions of them, so the loop below reads two halves of the word, allocates nothing for a
// page, and hands pages on where they lie. "The same block as before" holds across sections and checkpoints, so
// one reader lives as long as its stream.

import type { RamBlock, RamSink } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'

export const RAM_ZERO = 0x02
export const RAM_MEM_SIZE = 0x04
export const RAM_PAGE = 0x08
export const RAM_EOS = 0x10
export const RAM_CONTINUE = 0x20
export const RAM_XBZRLE = 0x40
export const RAM_HOOK = 0x80
export const RAM_COMPRESSED = 0x100
export const RAM_MULTIFD_FLUSH = 0x200

const TWO_32 = 0x1_0000_0000
/** Of the target, where the stream does not say: that of a PC. */
export const PAGE_BYTES_DEFAULT = 4096
const BLOCKS_MAX = 4096

/** The largest block that addresses are exact in. */
const BLOCK_BYTES_MAX = 2n ** 52n

export class RamReader {
  readonly #file: QemuFileReader
  readonly #sink: RamSink
  readonly #sync: (() => void) | undefined
  /** Of a page of the target; known from the configuration, or assumed. */
  pageBytes = PAGE_BYTES_DEFAULT
  /** x-ignore-shared: each block is listed with its address. */
  ignoresShared = false
  /** With postcopy, the sizes of host pages, or-ed together; 0 without. */
  postcopyPages = 0n
  #blocks: readonly RamBlock[] = []
  #byName = new Map<string, RamBlock>()
  #current: RamBlock | undefined
  #records = new Float64Array(0)
  #hasContents = false
  #flushes = false

  /** `sync` is called where page channels beside the stream are to be read up to their next sync. */
  constructor(file: QemuFileReader, sink: RamSink, sync?: () => void) {
    this.#file = file
    this.#sink = sink
    this.#sync = sync
  }

  get blocks(): readonly RamBlock[] {
    return this.#blocks
  }

  /**
   * That page channels of multifd carried the pages, if it is so. A stream of QEMU 7.2 does not say it; but pages
   * that are not all zero then stand in none of its records, and blocks have fewer records than pages.
   */
  get isBesideChannels(): boolean {
    if (this.#flushes) return true
    if (this.#hasContents) return false
    return this.#blocks.some(({ usedBytes }, index) => {
      return (this.#records[index] ?? 0) < usedBytes / this.pageBytes
    })
  }

  /** Reads records up to and with EOS. Raises bad-ram. */
  readBody(): void {
    const file = this.#file
    const mask = this.pageBytes - 1
    for (;;) {
      const high = file.u32()
      const low = file.u32()
      const flags = low & mask
      if (flags === RAM_EOS || flags === RAM_HOOK || flags === RAM_MULTIFD_FLUSH) {
        this.#sink.mark(high, low)
        this.#flushes ||= flags === RAM_MULTIFD_FLUSH
        // From 8.0 on QEMU may mark the syncs, and then ends of sections are none.
        if (flags === RAM_MULTIFD_FLUSH || (flags === RAM_EOS && !this.#flushes)) this.#sync?.()
        if (flags === RAM_EOS) return
      } else if (flags === RAM_MEM_SIZE) {
        this.#readBlocks(high, low - flags)
      } else {
        const address = high * TWO_32 + (low >>> 0) - flags
        this.#readPage(address, flags)
      }
    }
  }

  #readPage(address: number, flags: number): void {
    const file = this.#file
    const kind = flags & ~RAM_CONTINUE
    if (kind !== RAM_ZERO && kind !== RAM_PAGE && kind !== RAM_XBZRLE && kind !== RAM_COMPRESSED) {
      this.#refuse(8, `a record with the flags 0x${flags.toString(16)}: QEMU writes none such`)
    }
    const block = (flags & RAM_CONTINUE) === 0 ? this.#namedBlock() : this.#sameBlock()
    const { pageBytes } = this
    if (address + pageBytes > block.usedBytes) {
      const rule = `a page at 0x${address.toString(16)} of ${block.name}, which has 0x${block.usedBytes.toString(16)} bytes`
      this.#refuse(8, rule)
    }
    this.#records[block.index]++
    this.#hasContents ||= kind !== RAM_ZERO
    if (kind === RAM_ZERO) {
      this.#sink.zeroPage(block, address, flags, file.u8())
    } else if (kind === RAM_PAGE) {
      const start = file.place(pageBytes)
      this.#sink.page(block, address, flags, file.buffer, start)
    } else if (kind === RAM_XBZRLE) {
      if (file.u8() !== 1) this.#refuse(1, 'an XBZRLE page whose first byte is not 1')
      const length = file.u16()
      if (length > pageBytes) this.#refuse(2, `an XBZRLE page of ${length} bytes, more than a page`)
      const start = file.place(length)
      this.#sink.xbzrlePage(block, address, flags, file.buffer, start, length)
    } else {
      const length = file.u32()
      // What zlib makes of bytes that cannot be compressed is little longer than they are.
      if (length > 2 * pageBytes + 64) {
        this.#refuse(4, `a compressed page of ${length} bytes, more than zlib makes of a page`)
      }
      const start = file.place(length)
      this.#sink.compressedPage(block, address, flags, file.buffer, start, length)
    }
  }

  #sameBlock(): RamBlock {
    if (this.#current === undefined) {
      return this.#refuse(8, 'a record of the same block as before, but there was none before')
    }
    return this.#current
  }

  #namedBlock(): RamBlock {
    const name = this.#file.str8()
    const block = this.#current?.name === name ? this.#current : this.#byName.get(name)
    if (block === undefined) {
      return this.#refuse(name.length, `a page of the block ${JSON.stringify(name)}, not listed`)
    }
    this.#current = block
    return block
  }

  #readBlocks(high: number, low: number): void {
    const file = this.#file
    const offset = file.offset - 8
    const totalBytes = BigInt(high) * BigInt(TWO_32) + BigInt(low >>> 0)
    const blocks: RamBlock[] = []
    let left = totalBytes
    while (left > 0n) {
      const name = file.str8()
      file.item = `block ${name}`
      const used = file.u64()
      if (used > left || used > BLOCK_BYTES_MAX || used === 0n || blocks.length === BLOCKS_MAX) {
        const rule = `the block ${JSON.stringify(name)} of ${used} bytes, where the list has ${left} left`
        this.#refuse(8, rule)
      }
      left -= used
      const pageBytes = this.#listedPageBytes()
      const address = this.ignoresShared ? { address: file.u64() } : {}
      blocks.push({ name, index: blocks.length, usedBytes: Number(used), ...pageBytes, ...address })
    }
    this.#blocks = blocks
    if (new Set(blocks.map(({ name }) => name)).size < blocks.length) {
      this.#refuse(8, 'two blocks of one name in the list')
    }
    this.#byName = new Map(blocks.map((block) => [block.name, block]))
    if (blocks.length !== this.#records.length) this.#records = new Float64Array(blocks.length)
    if (this.#current !== undefined) this.#current = this.#byName.get(this.#current.name)
    this.#sink.blocks(offset, blocks)
    file.item = 'ram'
  }

  /**
   * With postcopy a block of other than the host's pages has their size behind its own. Nothing says which
   * block has one; but a size begins with a zero byte, which no name does, and is one of those announced.
   */
  #listedPageBytes(): { pageBytes?: bigint } {
    const file = this.#file
    if (this.postcopyPages === 0n || file.peek() !== 0 || !file.has(8)) return {}
    let value = 0n
    for (let i = 0; i < 8; i++) value = value * 256n + BigInt(file.peek(i))
    const isOne =
      value > 16n && (value & (value - 1n)) === 0n && (value & this.postcopyPages) !== 0n
    return isOne ? { pageBytes: file.u64() } : {}
  }

  #refuse(behind: number, rule: string): never {
    throw new QemuStreamError('bad-ram', this.#file.offset - behind, this.#file.item, rule)
  }
}
