// A RAMSecList into the records of a ram section. Whether a record says the name of its block follows from the
// blocks before it, as the module has it.

import type { RamBlock } from '../qemu/stream/migration-sink.ts'
import type { MigrationWriter } from '../qemu/stream/migration-writer.ts'
import {
  RAM_COMPRESSED,
  RAM_CONTINUE,
  RAM_EOS,
  RAM_HOOK,
  RAM_MULTIFD_FLUSH,
  RAM_PAGE,
  RAM_XBZRLE,
  RAM_ZERO,
} from '../qemu/stream/ram-section.ts'
import type { BerReader } from './ber-reader.ts'
import { LastBlock, PAGE_BYTES_DEFAULT, type ListedBlock, type RamListener } from './ram-list.ts'

export class RamToStream implements RamListener {
  readonly #writer: MigrationWriter
  readonly #ber: BerReader
  /** Of a page of the target. */
  pageBytes = PAGE_BYTES_DEFAULT
  readonly #last = new LastBlock()
  #block: RamBlock = { name: '', index: 0, usedBytes: 0 }
  #isEmpty = false

  /** `ber`: whose errors are raised. */
  constructor(writer: MigrationWriter, ber: BerReader) {
    this.#writer = writer
    this.#ber = ber
  }

  /** Behind the list of one section. */
  endSection(): void {
    this.#isEmpty = false
    this.#writer.mark(0, RAM_EOS)
  }

  blockList(_totalBytes: number, blocks: readonly ListedBlock[]): void {
    this.#last.forget()
    this.#writer.blocks(
      0,
      blocks.map(({ name, usedBytes, pageBytes, address }, index) => ({
        name,
        index,
        usedBytes,
        ...(pageBytes === undefined ? {} : { pageBytes }),
        ...(address === undefined ? {} : { address }),
      })),
    )
  }

  block(name: string): void {
    if (this.#isEmpty && this.#block.name === name) this.#last.forget()
    this.#block = { name, index: 0, usedBytes: 0 }
    this.#isEmpty = true
  }

  zeroRun(address: number, count: number, pageBytes: number): void {
    for (let i = 0; i < count; i++) {
      const page = address + i * pageBytes
      this.#writer.zeroPage(this.#block, page, this.#flags(RAM_ZERO, page), 0)
    }
  }

  fillPage(address: number, fill: number): void {
    this.#writer.zeroPage(this.#block, address, this.#flags(RAM_ZERO, address), fill)
  }

  page(address: number, bytes: Uint8Array): void {
    if (bytes.length !== this.pageBytes) {
      const rule = `a page of ${bytes.length} bytes, where the target's pages have ${this.pageBytes}`
      throw this.#ber.error('bad-value', rule)
    }
    this.#writer.page(this.#block, address, this.#flags(RAM_PAGE, address), bytes, 0)
  }

  xbzrlePage(address: number, bytes: Uint8Array): void {
    const flags = this.#flags(RAM_XBZRLE, address)
    this.#writer.xbzrlePage(this.#block, address, flags, bytes, 0, bytes.length)
  }

  zlibPage(address: number, bytes: Uint8Array): void {
    const flags = this.#flags(RAM_COMPRESSED, address)
    this.#writer.compressedPage(this.#block, address, flags, bytes, 0, bytes.length)
  }

  hook(): void {
    this.#isEmpty = false
    this.#writer.mark(0, RAM_HOOK)
  }

  multifdFlush(): void {
    this.#isEmpty = false
    this.#writer.mark(0, RAM_MULTIFD_FLUSH)
  }

  #flags(kind: number, address: number): number {
    this.#isEmpty = false
    if (address % this.pageBytes !== 0) {
      const rule = `an address of 0x${address.toString(16)}, which no page begins at`
      throw this.#ber.error('bad-value', rule)
    }
    return this.#last.continues(this.#block.name) ? kind | RAM_CONTINUE : kind
  }
}
