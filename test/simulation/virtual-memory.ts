// The memory of a small guest, captured by the code that captures a real one, by log or by scan: stores mark
// their page as those of a rewritten guest do.

import { PAGE_BYTES } from '../../shared/guest.ts'
import { GuestPages } from '../../keepers/wasm/guest-pages.ts'
import { PageLog } from '../../keepers/wasm/page-log.ts'
import { PageScan } from '../../keepers/wasm/page-scan.ts'
import type { PageStore } from '../../shared/memory/page-store.ts'

/** The table of the log; none where memory is scanned. */
const TABLE_BYTES = PAGE_BYTES

export class VirtualMemory {
  readonly pages: GuestPages
  #buffer: ArrayBuffer

  /** `pfns` has room for all that it may grow to; it begins with `count` pages. */
  constructor(store: PageStore, pfns: SharedArrayBuffer, hasLog: boolean, count: number) {
    const tableBytes = hasLog ? TABLE_BYTES : 0
    // What is shared between threads elsewhere is not, where there is but one.
    const shared = store.all.buffer as unknown as SharedArrayBuffer
    const dirty = hasLog ? new PageLog() : new PageScan()
    this.pages = new GuestPages(shared, pfns, tableBytes, dirty)
    this.#buffer = new ArrayBuffer(tableBytes + count * PAGE_BYTES)
    this.pages.attach(this.#buffer)
  }

  get ram(): Buffer {
    return this.pages.ram
  }

  /** Stores a u32 and marks the page in which it begins, once there is memory for it. */
  store(at: number, value: number): void {
    this.growTo(Math.ceil((at + 4) / PAGE_BYTES))
    const { ram, table, tableBytes } = this.pages
    ram.writeUInt32LE(value, at)
    if (tableBytes > 0) table[Math.floor(at / PAGE_BYTES)] = 1
  }

  growTo(count: number): void {
    const bytes = this.pages.tableBytes + count * PAGE_BYTES
    if (bytes <= this.#buffer.byteLength) return
    const larger = new ArrayBuffer(bytes)
    new Uint8Array(larger).set(new Uint8Array(this.#buffer))
    this.#buffer = larger
    this.pages.attach(larger)
  }
}
