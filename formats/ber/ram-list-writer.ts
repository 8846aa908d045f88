// Writes the records of ram sections as a RAMSecList. One writer lives as long as its stream, since "the same
// block as before" holds across sections. Zero pages one behind the other become one element: a guest of 8 GiB
// has two million of them.

import { CONTEXT_0, CONTEXT_1, type Tag } from './ber-tag.ts'
import type { BerWriter } from './ber-writer.ts'
import { TAGS, ZERO_PAGE } from './migration-tags.ts'
import { LastBlock, PAGE_BYTES_DEFAULT, ZERO_RUN_PAGES_MAX, type ListedBlock } from './ram-list.ts'

export class RamListWriter {
  readonly #ber: BerWriter
  readonly #last = new LastBlock()
  #pageBytes = PAGE_BYTES_DEFAULT
  /** The block whose RAMSecBlock is open. */
  #openName: string | undefined
  /** Whether the list of RAMSecBlocks is open. */
  #inBlocks = false
  /** Zero pages that were not written yet. */
  #runAddress = 0
  #runPages = 0

  constructor(ber: BerWriter) {
    this.#ber = ber
  }

  /** `pageBytes`: of a page of the target. */
  begin(pageBytes: number): void {
    this.#pageBytes = pageBytes
    this.#inBlocks = false
    this.#ber.open(TAGS.RAMSecList)
  }

  end(): void {
    this.#needBlocks()
    this.#closeBlock()
    this.#ber.close()
    this.#ber.close()
  }

  /** 'unexpected' unless it is the first record of its section. */
  blockList(totalBytes: number, blocks: readonly ListedBlock[]): void {
    const ber = this.#ber
    if (this.#inBlocks)
      throw ber.error('unexpected', 'a list of blocks behind pages of its section')
    this.#last.forget()
    ber.hold(TAGS.RAMBlockList)
    ber.integer(totalBytes)
    ber.hold()
    for (const { name, usedBytes, pageBytes, address } of blocks) {
      ber.hold()
      ber.name(name)
      ber.integer(usedBytes)
      if (pageBytes !== undefined) ber.integer(pageBytes, CONTEXT_0)
      if (address !== undefined) ber.integer(address, CONTEXT_1)
      ber.close()
    }
    ber.close()
    ber.close()
    this.#needBlocks()
  }

  /** `continued`: the record said that it is of the same block as the one before. */
  zeroPage(block: string, continued: boolean, address: number, fill: number): void {
    this.#record(block, continued)
    if (fill !== 0) {
      this.#closeRun()
      this.#ber.hold(TAGS.FillPage)
      this.#ber.integer(address)
      this.#ber.integer(fill)
      this.#ber.close()
      return
    }
    const isNext = address === this.#runAddress + this.#runPages * this.#pageBytes
    if (!isNext || this.#runPages === ZERO_RUN_PAGES_MAX) this.#closeRun()
    if (this.#runPages === 0) this.#runAddress = address
    this.#runPages++
  }

  page(block: string, continued: boolean, address: number, bytes: Uint8Array): void {
    this.#data(TAGS.FullPage, block, continued, address, bytes)
  }

  xbzrlePage(block: string, continued: boolean, address: number, bytes: Uint8Array): void {
    this.#data(TAGS.XBZRLEPage, block, continued, address, bytes)
  }

  zlibPage(block: string, continued: boolean, address: number, bytes: Uint8Array): void {
    this.#data(TAGS.ZlibPage, block, continued, address, bytes)
  }

  /** RDMA's record without a page, and multifd's: of no block, so they stand in whichever is open. */
  hook(anyBlock: string): void {
    this.#mark(TAGS.hook, anyBlock)
  }

  multifdFlush(anyBlock: string): void {
    this.#mark(TAGS.multifdFlush, anyBlock)
  }

  #mark(tag: Tag, anyBlock: string): void {
    if (this.#openName === undefined) this.#openBlock(anyBlock)
    this.#closeRun()
    this.#ber.null(tag)
  }

  #data(tag: Tag, block: string, continued: boolean, address: number, bytes: Uint8Array): void {
    this.#record(block, continued)
    this.#closeRun()
    this.#ber.addressed(tag, address, bytes)
  }

  /** Opens what a record of this block goes into. */
  #record(block: string, continued: boolean): void {
    if (continued) {
      if (!this.#last.continues(block)) {
        throw this.#ber.error(
          'unexpected',
          `a page continues ${block}, which was not the last block`,
        )
      }
    } else if (this.#last.continues(block)) {
      // Named again without need: an element without pages says so.
      this.#openBlock(block)
      this.#openBlock(block)
    }
    if (this.#openName !== block) this.#openBlock(block)
  }

  #openBlock(name: string): void {
    this.#needBlocks()
    this.#closeBlock()
    this.#openName = name
    this.#ber.open()
    this.#ber.name(name)
    this.#ber.open()
  }

  #closeBlock(): void {
    if (this.#openName === undefined) return
    this.#closeRun()
    this.#openName = undefined
    this.#ber.close()
    this.#ber.close()
  }

  #needBlocks(): void {
    if (this.#inBlocks) return
    this.#inBlocks = true
    this.#ber.open()
  }

  #closeRun(): void {
    const ber = this.#ber
    const count = this.#runPages
    if (count === 0) return
    this.#runPages = 0
    if (count === 1) {
      ber.integer(this.#runAddress, ZERO_PAGE)
      return
    }
    ber.hold(TAGS.ZeroRun)
    ber.integer(this.#runAddress)
    ber.integer(count)
    if (this.#pageBytes !== PAGE_BYTES_DEFAULT) ber.integer(this.#pageBytes, CONTEXT_0)
    ber.close()
  }
}
