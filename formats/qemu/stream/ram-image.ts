// From the records of ram sections to what the guest's memory holds in the end: pages in any of the forms in
// which QEMU sends them, each onto what was there before. Where the images lie (files, memory) is behind an interface.

import {
  SilentSink,
  type Configuration,
  type MigrationSink,
  type RamBlock,
} from './migration-sink.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import { PAGE_BYTES_DEFAULT } from './ram-section.ts'
import { applyXbzrle } from './xbzrle.ts'

/** Memory of blocks, all zero at first. */
export interface RamStore {
  /** A block that is there from now on, or was already. */
  open(block: RamBlock): void
  write(block: RamBlock, address: number, bytes: Uint8Array): void
  fill(block: RamBlock, address: number, length: number, value: number): void
  read(block: RamBlock, address: number, into: Uint8Array): void
}

/** Unpacks one page's zlib stream into `into`; false if it is no stream, or not of this length. */
export type InflatePage = (packed: Uint8Array, into: Uint8Array) => boolean

export class RamImage extends SilentSink implements MigrationSink {
  readonly #store: RamStore
  readonly #inflate: InflatePage
  #page = new Uint8Array(PAGE_BYTES_DEFAULT)
  /** So many pages were written, in whatever form they came. */
  pages = 0

  constructor(store: RamStore, inflate: InflatePage) {
    super()
    this.#store = store
    this.#inflate = inflate
  }

  override configuration({ pageBytes }: Configuration): void {
    if (pageBytes !== undefined) this.#page = new Uint8Array(pageBytes)
  }

  override blocks(_offset: number, blocks: readonly RamBlock[]): void {
    for (const block of blocks) this.#store.open(block)
  }

  override zeroPage(block: RamBlock, address: number, _flags: number, fill: number): void {
    this.pages++
    this.#store.fill(block, address, this.#page.length, fill)
  }

  override page(
    block: RamBlock,
    address: number,
    _flags: number,
    bytes: Uint8Array,
    start: number,
  ): void {
    this.pages++
    this.#store.write(block, address, bytes.subarray(start, start + this.#page.length))
  }

  override xbzrlePage(
    block: RamBlock,
    address: number,
    _flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.pages++
    this.#store.read(block, address, this.#page)
    const fault = applyXbzrle(this.#page, bytes, start, length)
    if (fault !== undefined) refuse(block, address, `an XBZRLE page: ${fault}`)
    this.#store.write(block, address, this.#page)
  }

  override compressedPage(
    block: RamBlock,
    address: number,
    _flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.pages++
    if (!this.#inflate(bytes.subarray(start, start + length), this.#page)) {
      refuse(
        block,
        address,
        `a compressed page that zlib does not make ${this.#page.length} bytes of`,
      )
    }
    this.#store.write(block, address, this.#page)
  }
}

function refuse({ name }: RamBlock, address: number, rule: string): never {
  throw new QemuStreamError('bad-ram', address, `${name}, offset in the block`, rule)
}
