// Writes checkpoints as Xen's records, from the captured pages in the page store straight to the data channel,
// while the capture is still under way: what is captured is final, so that sending need not wait for the rest.
// A record of neighbouring pages is sent from where they lie; scattered pages are first gathered in a slot of
// the arena, so that nothing is allocated for a page. The slots are all that may be in flight: when they are
// used up the writer stops until the channel has taken one, which bounds memory and leaves the event loop free.
// Pages go into the digest of the checkpoint as they are written: once more while they are in the cache.

import {
  digestEmulatorContext,
  encodeEmulatorContext,
  putDigest,
  type BlobVersion,
} from '../shared/protocol/emulator-blob.ts'
import { LIBXC } from '../formats/xen/libxc-records.ts'
import {
  PAGE_DATA_HEADER_BYTES,
  PFN_WORD_BYTES,
  RECORD_HEADER_BYTES,
  bodyOf,
  writePageDataHeader,
  writePfn,
} from '../formats/xen/page-data.ts'
import {
  encodeRawRecord,
  encodeRecord,
  fixedRecords,
  inOne,
} from '../formats/xen/record-encoder.ts'
import {
  encodeDomainHeader,
  encodeImageHeader,
  encodeLibxlHeader,
} from '../formats/xen/stream-headers.ts'
import { PAGE_BYTES, type Capture } from '../shared/guest.ts'
import { withAlso } from './pfn-list.ts'
import type { CheckpointDigest } from '../shared/memory/checkpoint-digest.ts'
import type { PageStore } from '../shared/memory/page-store.ts'
import type { DataChannel } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

const RECORD_PAGES = LIMITS.recordPages
const PROLOGUE_BYTES = RECORD_HEADER_BYTES + PAGE_DATA_HEADER_BYTES + RECORD_PAGES * PFN_WORD_BYTES
/** A whole number of pages, so that gathered pages lie on page boundaries. */
const SLOT_BYTES = Math.ceil(PROLOGUE_BYTES / PAGE_BYTES) * PAGE_BYTES + RECORD_PAGES * PAGE_BYTES
const SLOTS = Math.floor(LIMITS.inFlightBytesMax / SLOT_BYTES)

const STREAM_START = inOne([
  encodeLibxlHeader(),
  fixedRecords.LIBXC_CONTEXT,
  encodeImageHeader(),
  encodeDomainHeader(),
  fixedRecords.STATIC_DATA_END,
])
const TSC_INFO = encodeRecord(LIBXC.X86_TSC_INFO, { mode: 0, khz: 0, nsec: 0n, incarnation: 0 })
const NO_HVM_PARAMS = encodeRecord(LIBXC.HVM_PARAMS, { params: [] })
/** It is known when the last page is written. */
const BLANK_DIGEST = { low: 0, high: 0 }

export interface CheckpointHeader {
  readonly generation: number
  readonly epoch: number
}

export class CheckpointWriter {
  readonly #store: PageStore
  readonly #channel: DataChannel
  readonly #view: DataView
  readonly #digest: CheckpointDigest
  readonly #version: BlobVersion
  #pfns: Uint32Array<ArrayBufferLike> = new Uint32Array(0)
  #pages = 0
  #next = 0
  /** Slots written and slots taken by the kernel, since the session began: their difference is in flight. */
  #filled = 0
  #taken = 0
  #tail: { readonly states: readonly Uint8Array[]; readonly context: Uint8Array } | undefined
  /** Writes that the channel has not taken yet: whether each of them holds a slot. */
  readonly #writes: boolean[] = []
  #bytes = 0

  /** `version`: the blob that the peer reads. */
  constructor(store: PageStore, channel: DataChannel, version: BlobVersion) {
    this.#store = store
    this.#channel = channel
    this.#version = version
    this.#digest = store.newDigest()
    this.#view = new DataView(store.all.buffer, store.all.byteOffset, store.all.byteLength)
  }

  /** Bytes of the checkpoint under way, its request included. */
  get bytes(): number {
    return this.#bytes
  }

  get pages(): number {
    return this.#pages
  }

  /** True while pages wait for the channel to take others. */
  get waits(): boolean {
    return this.#next < this.#pages && this.#filled - this.#taken >= SLOTS
  }

  /** What a session begins with: the headers, once, and then its first checkpoint. */
  open(): void {
    this.#begin()
    this.#write([STREAM_START])
  }

  /** checkpoint-request. */
  request(): void {
    this.#begin()
    this.#write([fixedRecords.NEW])
  }

  /** The first `pages` of `pfns` are captured; more may come. */
  offer(pfns: Uint32Array<ArrayBufferLike>, pages: number): void {
    this.#pfns = pfns
    this.#pages = pages
  }

  /** All is captured: these pages, and the states behind them. */
  finish(capture: Capture, header: CheckpointHeader): void {
    const { cpu, device } = capture.state
    this.offer(capture.pfns, capture.pages)
    const digest = this.#version === 1 ? undefined : BLANK_DIGEST
    const context = encodeEmulatorContext({ ...header, digest, device })
    this.#digest.record(LIBXC.X86_TSC_INFO.type, bodyOf(TSC_INFO))
    this.#digest.record(LIBXC.HVM_CONTEXT.type, cpu)
    this.#digest.record(LIBXC.HVM_PARAMS.type, bodyOf(NO_HVM_PARAMS))
    digestEmulatorContext(this.#digest, bodyOf(context))
    const cpuRecord = encodeRawRecord(LIBXC.HVM_CONTEXT.type, cpu)
    const states = [TSC_INFO, cpuRecord, NO_HVM_PARAMS, fixedRecords.CHECKPOINT]
    this.#tail = { states, context }
  }

  /** The pages that the secondary's list asks for as well. */
  add(alsoPfns: Uint32Array<ArrayBufferLike>): void {
    if (alsoPfns.length === 0) return
    const all = withAlso(this.#pfns, this.#pages, alsoPfns)
    this.offer(all, all.length)
  }

  /** Writes what there is to write and may be in flight. True once the last byte has been handed over. */
  pump(): boolean {
    const least = this.#tail === undefined ? RECORD_PAGES : 1
    while (this.#pages - this.#next >= least && this.#filled - this.#taken < SLOTS) {
      this.#writePages(this.#filled++ % SLOTS)
    }
    if (this.#tail === undefined || this.#next < this.#pages) return false
    const { states, context } = this.#tail
    if (this.#version !== 1) putDigest(context, this.#digest.end())
    this.#write([inOne([...states, context, fixedRecords.CHECKPOINT_END])])
    return true
  }

  /** The channel has taken the oldest of the writes that were not taken yet. */
  taken(): void {
    if (this.#writes.shift()) this.#taken++
  }

  #begin(): void {
    this.#bytes = 0
    this.#pages = 0
    this.#next = 0
    this.#tail = undefined
    this.#digest.begin()
  }

  #writePages(slot: number): void {
    const first = this.#next
    const count = Math.min(RECORD_PAGES, this.#pages - first)
    const { all, arenaStart } = this.#store
    const pagesAt = arenaStart + slot * SLOT_BYTES + (SLOT_BYTES - RECORD_PAGES * PAGE_BYTES)
    const start = pagesAt - RECORD_HEADER_BYTES - PAGE_DATA_HEADER_BYTES - count * PFN_WORD_BYTES
    let at = writePageDataHeader(this.#view, start, count)
    const pfn = this.#pfns[first]
    let neighbours = 0
    for (let i = 0; i < count; i++) {
      at = writePfn(this.#view, at, this.#pfns[first + i])
      if (this.#pfns[first + i] === pfn + i) neighbours++
    }
    this.#next += count

    if (neighbours === count) {
      const pages = all.subarray(pfn * PAGE_BYTES, (pfn + count) * PAGE_BYTES)
      this.#digest.pages(pfn, count, pfn * PAGE_BYTES)
      return this.#write([all.subarray(start, pagesAt), pages], true)
    }
    for (let i = 0; i < count; i++) {
      const one = this.#pfns[first + i]
      this.#digest.copy(one, one * PAGE_BYTES, pagesAt + i * PAGE_BYTES)
    }
    return this.#write([all.subarray(start, pagesAt + count * PAGE_BYTES)], true)
  }

  #write(chunks: readonly Uint8Array[], fromSlot = false): void {
    this.#writes.push(fromSlot)
    for (const chunk of chunks) this.#bytes += chunk.length
    this.#channel.write(chunks)
  }
}
