// The memory of a guest as a side holds it between checkpoints, and the arena where bytes on their way in or
// out of it stand. Both lie in one buffer, because copyWithin() is the only way in the language to move a page
// without making an object for it. On a primary the pages are the shadow (what the last checkpoint captured)
// and the arena holds records being sent; on a secondary the pages are the last committed checkpoint and the
// arena is the stage, where a checkpoint lies as it came over the wire until it is whole. Where the buffer is that of a
// WebAssembly memory, a module does what copyWithin() does, and faster.
//
// Staging costs no copy: the channel receives into the arena, and stagePages() only notes where pages lie.
// commit() makes the staged checkpoint irrevocable; apply() then moves it, in slices, and cannot fail: it
// decodes nothing, allocates nothing and does no I/O. discard() forgets what was staged and not committed.
// While a full copy comes there is nothing here to keep, so its pages go to their place as they come; the
// channel may even receive them there.

import { PAGE_BYTES, PAGE_SHIFT } from '../guest.ts'
import type { WasmMemory } from './webassembly.ts'
import { invariant } from '../protocol/invariants.ts'
import { CheckpointDigest } from './checkpoint-digest.ts'
import { newWasmMove, newWasmPageMix, type Move } from './page-mix-module.ts'
import { PlainPageMix } from './page-mix.ts'

/** Bytes of the arena beside the RAM: headers, pfns, CPU and device state. */
const ARENA_EXTRA_BYTES = 40 * 1024 * 1024

/** How large a buffer a guest of `memoryBytes` needs: its pages, and an arena for a whole checkpoint. */
export function pageStoreBytes(memoryBytes: number): number {
  return 2 * memoryBytes + Math.floor(memoryBytes / 256) + ARENA_EXTRA_BYTES
}

/** The most RAM, in multiples of `unitBytes`, whose page store fits into a buffer of `bufferBytesMax`. */
export function memoryBytesFor(bufferBytesMax: number, unitBytes: number): number {
  const most = (bufferBytesMax - ARENA_EXTRA_BYTES) / (2 + 1 / 256)
  return Math.floor(most / unitBytes) * unitBytes
}

export class PageStore {
  /** The guest's RAM, `pageCount` pages. */
  readonly pages: Uint8Array
  readonly pageCount: number
  /** Pages and arena, for copyWithin; arena offsets below are offsets in this. */
  readonly all: Uint8Array
  readonly arenaStart: number

  // The staged runs: pages [pfn, pfn + count) lie at `at` in `all`. Grown by doubling, never shrunk.
  #runPfn = new Uint32Array(1024)
  #runCount = new Uint32Array(1024)
  #runAt = new Float64Array(1024)
  #runs = 0
  #staged = 0
  #committed = false
  #applied = 0
  #touched = false
  #seeding = false
  /** While a full copy comes anew: which pages it has. The others are zero once it is applied. */
  #fresh: Uint8Array | undefined
  /** Pages before this one are done: those that the full copy lacks are zero. */
  #zeroed = 0
  readonly #memory: WasmMemory | undefined
  readonly #move: Move

  /**
   * `buffer` must have pageStoreBytes(memoryBytes); a fresh one is all zero, as a fresh guest's RAM. `memory`: the
   * memory that it is the buffer of, where digests shall be fast.
   */
  constructor(buffer: ArrayBufferLike, memoryBytes: number, memory?: WasmMemory) {
    this.#memory = memory
    const all = new Uint8Array(buffer)
    this.#move = memory
      ? newWasmMove(memory)
      : (to, from, bytes) => void all.copyWithin(to, from, from + bytes)
    this.all = all
    this.pages = new Uint8Array(buffer, 0, memoryBytes)
    this.pageCount = memoryBytes >>> PAGE_SHIFT
    this.arenaStart = memoryBytes
  }

  /** Digests what lies in this store; offsets are those of `all`. */
  newDigest(): CheckpointDigest {
    const memory = this.#memory
    return new CheckpointDigest(memory ? newWasmPageMix(memory) : new PlainPageMix(this.all.buffer))
  }

  get arenaBytes(): number {
    return this.all.length - this.arenaStart
  }

  /** Pages staged since the last discard or commit. */
  get stagedPages(): number {
    return this.#staged
  }

  /** True between commit and the end of apply. */
  get committed(): boolean {
    return this.#committed
  }

  /** True while a full copy comes, which has not been committed. */
  get seeding(): boolean {
    return this.#seeding
  }

  /** Notes that pages [pfn, pfn + count) lie from offset `at` of `all` on. Neighbours in both become one run. */
  stagePages(pfn: number, count: number, at: number): void {
    invariant(!this.#committed, 'whole-checkpoints', 'a page staged into a committed checkpoint')
    this.#staged += count
    if (this.#seeding) return this.#place(pfn, count, at)
    const last = this.#runs - 1
    if (
      last >= 0 &&
      this.#runPfn[last] + this.#runCount[last] === pfn &&
      this.#runAt[last] + this.#runCount[last] * PAGE_BYTES === at
    ) {
      this.#runCount[last] += count
      return
    }
    if (this.#runs === this.#runPfn.length) this.#grow()
    this.#runPfn[this.#runs] = pfn
    this.#runCount[this.#runs] = count
    this.#runAt[this.#runs] = at
    this.#runs++
  }

  #place(pfn: number, count: number, at: number): void {
    this.#touched = true
    this.#fresh?.fill(1, pfn, pfn + count)
    const place = pfn * PAGE_BYTES
    if (at !== place) this.#move(place, at, count * PAGE_BYTES)
  }

  /** The staged checkpoint is whole: from here on it is the state, even if the peer dies now. */
  commit(): void {
    invariant(!this.#committed, 'whole-checkpoints', 'committed twice')
    this.#committed = true
    this.#seeding = false
    this.#applied = 0
    this.#touched = true
  }

  /** Somebody else writes pages: a guest that is captured into this store. */
  touch(): void {
    this.#touched = true
  }

  /** Moves up to `pagesMax` committed pages to their place, or makes them zero. True when none is left. */
  apply(pagesMax: number): boolean {
    invariant(this.#committed, 'whole-checkpoints', 'applied what was not committed')
    let budget = pagesMax
    while (this.#applied < this.#runs && budget > 0) {
      const run = this.#applied
      const count = Math.min(this.#runCount[run], budget)
      const from = this.#runAt[run]
      this.#move(this.#runPfn[run] * PAGE_BYTES, from, count * PAGE_BYTES)
      budget -= count
      if (count === this.#runCount[run]) {
        this.#applied++
      } else {
        this.#runPfn[run] += count
        this.#runCount[run] -= count
        this.#runAt[run] += count * PAGE_BYTES
      }
    }
    if (this.#applied < this.#runs || !this.#zeroTheRest(budget)) return false
    this.#committed = false
    this.#forget()
    return true
  }

  /** Forgets what was staged. A committed checkpoint can't be dropped. */
  discard(): void {
    invariant(!this.#committed, 'whole-checkpoints', 'a committed checkpoint dropped')
    this.#forget()
  }

  /**
   * A full copy comes anew: what it does not have is zero when it is applied, as if all had been zero before.
   * Memory that was never used stays unused.
   */
  clear(): void {
    this.discard()
    this.#fresh = this.#touched ? new Uint8Array(this.pageCount) : undefined
    this.#zeroed = 0
    this.#seeding = true
  }

  /** All pages zero at once: for a guest that starts cold. */
  wipe(): void {
    this.clear()
    this.#seeding = false
    this.#zeroTheRest(Number.POSITIVE_INFINITY)
  }

  /** Memory that is used for the first time takes longest: a gigabyte at once would pass for a dead side. */
  #zeroTheRest(pagesMax: number): boolean {
    const fresh = this.#fresh
    if (fresh === undefined) return true
    let budget = pagesMax
    const next = () => fresh.indexOf(0, this.#zeroed)
    for (let first = next(); first >= 0; first = next()) {
      if (budget <= 0) return false
      const end = Math.min(endOfRun(fresh, first), first + budget)
      this.pages.fill(0, first * PAGE_BYTES, end * PAGE_BYTES)
      budget -= end - first
      this.#zeroed = end
    }
    this.#fresh = undefined
    return true
  }

  #forget(): void {
    this.#runs = 0
    this.#staged = 0
    this.#applied = 0
  }

  #grow(): void {
    const size = this.#runPfn.length * 2
    const pfn = new Uint32Array(size)
    const count = new Uint32Array(size)
    const at = new Float64Array(size)
    pfn.set(this.#runPfn)
    count.set(this.#runCount)
    at.set(this.#runAt)
    this.#runPfn = pfn
    this.#runCount = count
    this.#runAt = at
  }
}

/** The first page from `page` on that is fresh again. */
function endOfRun(fresh: Uint8Array, page: number): number {
  const end = fresh.indexOf(1, page)
  return end < 0 ? fresh.length : end
}
