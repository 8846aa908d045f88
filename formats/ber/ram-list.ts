// What a RAMSecList of the module says, as calls: whoever reads one makes them, in the order of its elements.
// A stream's own records are the same in other words: there, a record says that it is of the same block as the
// one before, across sections; here, each section names its blocks. The rule that makes one from the other
// without loss stands here once, for both directions.

/** A block of guest memory in the list of blocks. */
export interface ListedBlock {
  readonly name: string
  readonly usedBytes: number
  readonly pageBytes?: bigint | undefined
  readonly address?: bigint | undefined
}

export interface RamListener {
  blockList(totalBytes: number, blocks: readonly ListedBlock[]): void
  /** What follows is of this block. */
  block(name: string): void
  /** `count` pages of zeros, one behind the other. */
  zeroRun(address: number, count: number, pageBytes: number): void
  /** A page of which every byte is `fill`. */
  fillPage(address: number, fill: number): void
  /** The page lies at `bytes[start]` and is the listener's only during the call; so with the two below. */
  page(address: number, bytes: Uint8Array): void
  xbzrlePage(address: number, bytes: Uint8Array): void
  zlibPage(address: number, bytes: Uint8Array): void
  hook(): void
  multifdFlush(): void
}

/**
 * The block of the last record with a page, as both sides keep it. A record continues it if it is of the same
 * block, unless that block was named again: then it stands in the list twice, the first time without pages.
 * After a list of blocks nothing continues.
 */
export class LastBlock {
  #name: string | undefined

  /** Whether a record of this block continues; it is the last one from now on. */
  continues(name: string): boolean {
    const same = this.#name === name
    this.#name = name
    return same
  }

  is(name: string): boolean {
    return this.#name === name
  }

  forget(): void {
    this.#name = undefined
  }
}

/** Most pages in one ZeroRun, as the module has it: what a few bytes can make of themselves is bounded. */
export const ZERO_RUN_PAGES_MAX = 65_536
/** Of a page of the target, as the module's default. */
export const PAGE_BYTES_DEFAULT = 4096
export const PAGE_BYTES_MAX = 65_536
/** Blocks in one list. */
export const BLOCKS_MAX = 4096
