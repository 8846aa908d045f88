// Reads the forward stream into a staged checkpoint. The channel receives straight into the arena of the page
// store, so that a page is copied once, when the committed checkpoint is applied; here its place is only noted.
// While the store is being seeded even that copy is spared: neighbouring pages are received in their place.
// Everything that could be wrong is found before the checkpoint counts as whole: a record that is missing or
// doubled, a page beyond the guest's RAM, an epoch that does not grow, a state that the guest could not load, and
// bytes that are not those that the primary sent, by the digest that is made of each record as it comes.

import {
  decodeEmulatorContext,
  digestEmulatorContext,
  type BlobVersion,
  type Digest,
} from '../shared/protocol/emulator-blob.ts'
import { LIBXC } from '../formats/xen/libxc-records.ts'
import { LIBXL } from '../formats/xen/libxl-records.ts'
import {
  PAGE_DATA_HEADER_BYTES,
  PFN_WORD_BYTES,
  RECORD_HEADER_BYTES,
  pfnOf,
  plainPfnOf,
} from '../formats/xen/page-data.ts'
import { StreamError } from '../formats/xen/stream-error.ts'
import { StreamReader } from '../formats/xen/stream-reader.ts'
import type { ReadRecord } from '../formats/xen/stream-sink.ts'
import { PAGE_BYTES, type GuestState } from '../shared/guest.ts'
import type { CheckpointDigest } from '../shared/memory/checkpoint-digest.ts'
import type { PageStore } from '../shared/memory/page-store.ts'
import type { Epoch, Generation } from '../shared/protocol/register.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

/** What one read of the channel is offered at most. */
const READ_BYTES_MAX = 1024 * 1024
/** All records are a whole number of these. */
const WORD_BYTES = 8
/** Fewer neighbours than these, a sixteenth of a record, cost more in reads than they spare in copies. */
const IN_PLACE_PAGES = Math.max(2, LIMITS.recordPages / 16)
/** What lies ahead of the pages of a full PAGE_DATA. */
const HEAD_BYTES =
  RECORD_HEADER_BYTES + PAGE_DATA_HEADER_BYTES + LIMITS.recordPages * PFN_WORD_BYTES

/** A whole checkpoint, validated. Its pages are staged in the page store. */
export interface StagedCheckpoint {
  readonly generation: Generation
  readonly epoch: Epoch
  readonly state: GuestState
}

export interface CheckpointReaderEvents {
  /** checkpoint-request. */
  requested(): void
  /** vmstate-send: the first record of a checkpoint. */
  began(): void
  /** CHECKPOINT_END: the checkpoint is whole. */
  ended(staged: StagedCheckpoint): void
  /** Why `state` could not be loaded, if it could not. */
  check(state: GuestState): string | undefined
}

export class CheckpointReader {
  readonly #store: PageStore
  readonly #events: CheckpointReaderEvents
  readonly #reader: StreamReader
  readonly #digest: CheckpointDigest
  readonly #version: BlobVersion
  #epoch: Epoch
  #at: number
  #offered: number
  #cpu: Uint8Array | undefined
  #context: Uint8Array | undefined
  #began = false
  #closed = false
  // The pages of the PAGE_DATA under way: their pfns, and how many have been placed.
  #pfns = new Uint32Array(LIMITS.recordPages)
  #count = 0
  #placed = 0
  #partial = 0

  /**
   * `epoch`: the last one that this side has; the first checkpoint must be newer. `version`: the blob that the peer
   * writes.
   */
  constructor(
    store: PageStore,
    epoch: Epoch,
    version: BlobVersion,
    events: CheckpointReaderEvents,
  ) {
    this.#store = store
    this.#epoch = epoch
    this.#version = version
    this.#digest = store.newDigest()
    this.#events = events
    this.#at = store.arenaStart
    this.#offered = store.arenaStart
    this.#reader = new StreamReader(
      {
        record: (record) => this.#closed || this.#record(record),
        pageData: (record, count, words) => this.#closed || this.#pageData(record, count, words),
        pageBytes: (_chunk, from, to) => this.#closed || this.#pageBytes(from, to),
      },
      {
        form: 'libxl',
        checkpointed: 'colo',
        limits: {
          recordBytesMax: LIMITS.recordBytesMax,
          blobBytesMax: LIMITS.deviceStateBytesMax,
        },
      },
    )
  }

  /** Of the stream so far: grows with everything that is received. */
  get bytes(): number {
    return this.#reader.bytesRead
  }

  /** The session is over: nothing behind the record that ended it counts, even if it came with it. */
  close(): void {
    this.#closed = true
  }

  /** Where the next bytes shall go. It may be asked for long before they come. */
  buffer(): Uint8Array {
    const { all, seeding } = this.#store
    if (seeding) return this.#seedBuffer()
    this.#offered = this.#at
    return all.subarray(this.#at, Math.min(this.#at + READ_BYTES_MAX, all.length))
  }

  /**
   * The place of the next pages, if enough of them are neighbours; else a piece of the arena that ends where
   * such pages begin, or about where the pfns will be known. What lay in the arena has been copied by then.
   */
  #seedBuffer(): Uint8Array {
    const { all, arenaStart } = this.#store
    const begun = this.#partial > 0
    const due = this.#reader.pageBytesDue > 0
    const run = due ? this.#neighbours(this.#placed, this.#count) : 0
    const inPlace = begun ? this.#at < arenaStart : run >= IN_PLACE_PAGES
    let bytes = Math.max(this.#reader.unitBytesDue, HEAD_BYTES)
    if (due) bytes = (inPlace ? run : this.#scattered(this.#placed)) * PAGE_BYTES - this.#partial
    if (inPlace) this.#offered = this.#pfns[this.#placed] * PAGE_BYTES + this.#partial
    else this.#offered = begun ? this.#at : arenaStart + (this.#reader.bytesRead % WORD_BYTES)
    return all.subarray(this.#offered, Math.min(this.#offered + bytes, all.length))
  }

  /** How many pages of the PAGE_DATA under way, from its `from`th on and before `to`, lie one behind the other. */
  #neighbours(from: number, to: number): number {
    let end = from + 1
    while (end < to && this.#pfns[end] === this.#pfns[end - 1] + 1) end++
    return end - from
  }

  /** How many pages come, from the `from`th on, before those that are received in their place; at least one. */
  #scattered(from: number): number {
    let end = from + 1
    while (end < this.#count && this.#neighbours(end, this.#count) < IN_PLACE_PAGES) end++
    return end - from
  }

  /** `count` bytes were put at the start of what buffer() gave last. Throws StreamError. */
  received(count: number): void {
    const { all, arenaStart, committed } = this.#store
    this.#at = this.#offered + count
    this.#reader.push(all, this.#offered, this.#at)
    if (this.#at === all.length) {
      this.#refuse('a checkpoint larger than the guest and its states can be')
    }
    // Between checkpoints the arena begins anew, unless a committed one still lies there; at the stream's own
    // alignment, which keeps its pages on words: shared memory is moved four times slower off them.
    if (!this.#began && !committed && !this.#store.committed) {
      this.#at = arenaStart + (this.#reader.bytesRead % WORD_BYTES)
    }
  }

  #record(record: ReadRecord): void {
    if (record.spec === LIBXL.CHECKPOINT_STATE) return this.#events.requested()
    this.#begin(record)
    if (record.spec === LIBXL.CHECKPOINT_END) return this.#end()
    if (record.spec === LIBXC.END || record.spec === LIBXL.END) {
      this.#refuse(`${record.spec.name} in a checkpointed stream`)
    }
    if (record.spec === LIBXL.EMULATOR_CONTEXT) {
      if (this.#context) this.#refuse('two EMULATOR_CONTEXT in one checkpoint')
      this.#context = record.body.slice()
      return undefined
    }
    if (record.spec === LIBXC.HVM_CONTEXT) {
      if (this.#cpu) this.#refuse('two HVM_CONTEXT in one checkpoint')
      this.#cpu = record.body.slice()
    }
    // Records without a body say where others belong: the reader judges their order.
    if (record.length > 0) this.#digest.record(record.type, record.body)
    return undefined
  }

  /** LIBXC_CONTEXT and the static data belong to the first checkpoint. */
  #begin(_record: ReadRecord): void {
    if (this.#began) return
    this.#began = true
    this.#digest.begin()
    this.#events.began()
  }

  #pageData(record: ReadRecord, count: number, words: Uint8Array): void {
    this.#begin(record)
    if (count > this.#pfns.length) this.#pfns = new Uint32Array(count)
    const { pageCount } = this.#store
    for (let i = 0; i < count; i++) {
      const pfn = plainPfnOf(words, i)
      if (pfn < 0) this.#refuse(`pfn ${pfnOf(words, i)} is no plain page`)
      if (pfn >= pageCount) this.#refuse(`pfn ${pfn} beyond the guest's ${pageCount} pages`)
      this.#pfns[i] = pfn
    }
    this.#count = count
    this.#placed = 0
    this.#partial = 0
  }

  /** Pages lie one after the other in the arena, whatever the pieces in which they came. */
  #pageBytes(from: number, to: number): void {
    let start = from - this.#partial
    const whole = Math.floor((to - start) / PAGE_BYTES)
    const end = this.#placed + whole
    if (end > this.#count) this.#refuse('more pages than pfns')
    while (this.#placed < end) {
      const pfn = this.#pfns[this.#placed]
      const run = this.#neighbours(this.#placed, end)
      this.#digest.pages(pfn, run, start)
      this.#store.stagePages(pfn, run, start)
      this.#placed += run
      start += run * PAGE_BYTES
    }
    this.#partial = to - start
  }

  #end(): void {
    const { cpu, context } = this.#take()
    if (cpu === undefined) return this.#refuse('a checkpoint without HVM_CONTEXT')
    if (context === undefined) return this.#refuse('a checkpoint without EMULATOR_CONTEXT')
    const decoded = decodeEmulatorContext(context, this.#version)
    if (typeof decoded === 'string') return this.#refuse(decoded)
    if (decoded.digest) this.#compare(decoded.digest, context)
    const { generation, epoch, device } = decoded
    if (epoch <= this.#epoch) this.#refuse(`epoch ${epoch} after epoch ${this.#epoch}`)
    const state = { cpu, device }
    const flaw = this.#events.check(state)
    if (flaw) this.#refuse(`a state that this guest can't load: ${flaw}`)
    this.#epoch = epoch
    this.#began = false
    this.#events.ended({ generation, epoch, state })
  }

  #compare(sent: Digest, context: Uint8Array): void {
    digestEmulatorContext(this.#digest, context)
    const { low, high } = this.#digest.end()
    if (low === sent.low && high === sent.high) return
    this.#refuse('the digest is not that of the bytes received: they were changed on their way')
  }

  #take(): { cpu: Uint8Array | undefined; context: Uint8Array | undefined } {
    const taken = { cpu: this.#cpu, context: this.#context }
    this.#cpu = undefined
    this.#context = undefined
    return taken
  }

  #refuse(rule: string): never {
    const offset = this.#reader.bytesRead
    throw new StreamError('bad-value', { offset, recordIndex: -1, record: 'checkpoint' }, rule)
  }
}
