// What the writer of a primary writes, the reader of a secondary has: any set of pages, however they lie, cut
// into any pieces on the way. The first checkpoint of a session is a full copy and is received in place, the
// next is staged; both must leave the same memory.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CheckpointWriter } from '../../primary/checkpoint-writer.ts'
import { CheckpointReader } from '../../secondary/checkpoint-reader.ts'
import { PAGE_BYTES } from '../../shared/guest.ts'
import { digestOf } from '../../shared/memory/memory-digest.ts'
import { PageStore, pageStoreBytes } from '../../shared/memory/page-store.ts'

const PAGES = 700
const MEMORY = PAGES * PAGE_BYTES
const sending = new PageStore(new ArrayBuffer(pageStoreBytes(MEMORY)), MEMORY)
const receiving = new PageStore(new ArrayBuffer(pageStoreBytes(MEMORY)), MEMORY)
/** What the secondary asks for beside: its first page, which is sent once, and its last. */
const alsoPfns = Uint32Array.of(PAGES - 1, 0)
const state = { cpu: new Uint8Array(16).fill(1), device: new Uint8Array(24).fill(2) }

/** Runs of pages that change, in order; the numbers are gaps and lengths. */
const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 90 })), {
  minLength: 1,
  maxLength: 12,
})

function pfnsOf(gaps: readonly (readonly [gap: number, length: number])[]): Uint32Array {
  const pfns: number[] = []
  let at = -1
  for (const [gap, length] of gaps) {
    at += gap
    for (let i = 0; i < length && at < PAGES; i++) pfns.push(at++)
  }
  return Uint32Array.from(pfns)
}

class Wire {
  readonly chunks: Uint8Array[] = []
  write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.chunks.push(chunk.slice())
  }
  close(): void {}
}

/** Everything that was written, given to the reader in pieces of at most these sizes, in turn. */
function deliver(wire: Wire, reader: CheckpointReader, sizes: readonly number[]): void {
  let turn = 0
  for (const chunk of wire.chunks.splice(0)) {
    for (let at = 0; at < chunk.length;) {
      const buffer = reader.buffer()
      const count = Math.min(sizes[turn++ % sizes.length], buffer.length, chunk.length - at)
      buffer.set(chunk.subarray(at, at + count))
      reader.received(count)
      at += count
    }
  }
}

function change(pfns: Uint32Array, by: number): void {
  for (const pfn of pfns) {
    sending.pages.fill(pfn + by, pfn * PAGE_BYTES, (pfn + 1) * PAGE_BYTES)
    sending.pages[pfn * PAGE_BYTES + by] = 77
  }
}

function pumpAll(writer: CheckpointWriter): void {
  while (!writer.pump()) writer.taken()
}

test('a full copy and a checkpoint arrive whole, however their pages lie and the bytes are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(runs, runs, sizes, (seed, dirty, cuts) => {
      sending.pages.fill(0)
      receiving.pages.fill(3)
      receiving.touch()
      receiving.clear()
      const wire = new Wire()
      const writer = new CheckpointWriter(sending, wire, 2)
      let ended = 0
      const reader = new CheckpointReader(receiving, 0, 2, {
        requested() {},
        began() {},
        ended: () => ended++,
        check: () => undefined,
      })
      for (const [epoch, gaps] of [seed, dirty].entries()) {
        const pfns = pfnsOf(gaps)
        change(pfns, epoch + 1)
        if (epoch === 0) writer.open()
        else writer.request()
        writer.finish(
          { id: epoch, pfns, pages: pfns.length, pauseMs: 0, findMs: 0, state },
          { generation: 1, epoch: epoch + 1 },
        )
        writer.add(alsoPfns)
        pumpAll(writer)
        deliver(wire, reader, cuts)
        expect(ended).toBe(epoch + 1)
        expect(receiving.stagedPages).toBe(new Set([...pfns, ...alsoPfns]).size)
        receiving.commit()
        receiving.apply(Number.POSITIVE_INFINITY)
        expect(digestOf(receiving.pages)).toBe(digestOf(sending.pages))
      }
    }),
    { numRuns: 60 },
  )
})

test('pages that only begin and end like a run of neighbours are sent as what they are', () => {
  receiving.clear()
  const wire = new Wire()
  const writer = new CheckpointWriter(sending, wire, 2)
  const reader = new CheckpointReader(receiving, 0, 2, {
    ...{ requested() {}, began() {}, ended() {} },
    check: () => undefined,
  })
  const pfns = Uint32Array.of(5, 100)
  change(Uint32Array.of(5, 6, 7, 100), 9)
  writer.open()
  writer.finish(
    { id: 1, pfns, pages: pfns.length, pauseMs: 0, findMs: 0, state },
    { generation: 1, epoch: 1 },
  )
  writer.add(Uint32Array.of(7))
  pumpAll(writer)
  deliver(wire, reader, [300_000])
  receiving.commit()
  receiving.apply(Number.POSITIVE_INFINITY)
  for (const pfn of [5, 7, 100]) {
    const page = (store: PageStore) => store.pages.slice(pfn * PAGE_BYTES, (pfn + 1) * PAGE_BYTES)
    expect(page(receiving)).toEqual(page(sending))
  }
})
