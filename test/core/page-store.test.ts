// The page store against a model that copies pages the plain way: staged checkpoints come whole or not at all,
// whatever the order and the runs in which their pages lie in the arena, and however thinly they are applied.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PAGE_BYTES } from '../../shared/guest.ts'
import { digestOf } from '../../shared/memory/memory-digest.ts'
import { PageStore, pageStoreBytes } from '../../shared/memory/page-store.ts'

const PAGES = 16
const MEMORY = PAGES * PAGE_BYTES
const buffer = new ArrayBuffer(pageStoreBytes(MEMORY))

function freshStore(): PageStore {
  const store = new PageStore(buffer, MEMORY)
  store.pages.fill(0)
  return store
}

/** Puts a page of this fill into slot `slot` of the arena and stages it. */
function stage(store: PageStore, pfn: number, slot: number, fill: number): void {
  const at = store.arenaStart + slot * PAGE_BYTES
  store.all.fill(fill, at, at + PAGE_BYTES)
  store.stagePages(pfn, 1, at)
}

const fills = (store: PageStore) =>
  Array.from({ length: PAGES }, (_, pfn) => {
    const page = store.pages.subarray(pfn * PAGE_BYTES, (pfn + 1) * PAGE_BYTES)
    return page.every((byte) => byte === page[0]) ? page[0] : -1
  })

describe('the page store', () => {
  test('shows nothing of a checkpoint before it is applied', () => {
    const store = freshStore()
    stage(store, 3, 0, 7)
    expect(store.stagedPages).toBe(1)
    expect(fills(store)).toEqual(Array.from({ length: PAGES }, () => 0))
    store.commit()
    expect(store.committed).toBe(true)
    expect(store.apply(Number.POSITIVE_INFINITY)).toBe(true)
    expect(fills(store)[3]).toBe(7)
    expect({ committed: store.committed, staged: store.stagedPages }).toEqual({
      committed: false,
      staged: 0,
    })
  })

  test('drops a checkpoint that is not committed, and none that is', () => {
    const store = freshStore()
    stage(store, 3, 0, 7)
    store.discard()
    store.commit()
    store.apply(1)
    expect(fills(store)[3]).toBe(0)
    stage(store, 3, 0, 7)
    store.commit()
    expect(() => store.discard()).toThrow('whole-checkpoints')
    expect(() => store.clear()).toThrow('whole-checkpoints')
    expect(() => store.commit()).toThrow('whole-checkpoints')
    expect(() => store.stagePages(1, 1, store.arenaStart)).toThrow('whole-checkpoints')
    expect(store.apply(1)).toBe(true)
    expect(() => store.apply(1)).toThrow('whole-checkpoints')
  })

  test('puts the pages of a full copy in their place as they come', () => {
    const store = freshStore()
    stage(store, 5, 0, 9)
    store.commit()
    store.apply(PAGES)
    store.clear()
    expect(store.seeding).toBe(true)
    // One from the arena, whose room is used anew at once, and one that was received where it belongs.
    stage(store, 7, 0, 4)
    stage(store, 8, 0, 6)
    store.pages.fill(2, 9 * PAGE_BYTES, 10 * PAGE_BYTES)
    store.stagePages(9, 1, 9 * PAGE_BYTES)
    expect(store.stagedPages).toBe(3)
    store.commit()
    expect(store.seeding).toBe(false)
    expect(store.apply(PAGES)).toBe(true)
    const expected: Readonly<Record<number, number>> = { 7: 4, 8: 6, 9: 2 }
    expect(fills(store)).toEqual(Array.from({ length: PAGES }, (_, page) => expected[page] ?? 0))
  })

  test('has nothing of a full copy that was broken off in the next one', () => {
    const store = freshStore()
    store.clear()
    stage(store, 7, 0, 4)
    store.discard()
    store.clear()
    stage(store, 8, 0, 6)
    store.commit()
    store.apply(PAGES)
    expect(fills(store)).toEqual(Array.from({ length: PAGES }, (_, page) => (page === 8 ? 6 : 0)))
  })

  test('has nothing of before in a full copy that comes after clear', () => {
    const store = freshStore()
    stage(store, 5, 0, 9)
    store.commit()
    store.apply(PAGES)
    store.clear()
    stage(store, 7, 0, 4)
    store.commit()
    expect(store.apply(PAGES)).toBe(true)
    expect(fills(store)).toEqual(Array.from({ length: PAGES }, (_, page) => (page === 7 ? 4 : 0)))
    // A checkpoint after it changes what it has and nothing else.
    stage(store, 8, 0, 3)
    store.commit()
    store.apply(PAGES)
    expect(fills(store)[7]).toBe(4)
  })

  test('makes zero what a full copy lacks in slices too', () => {
    const store = freshStore()
    store.touch()
    store.pages.fill(5)
    store.clear()
    for (const pfn of [3, 4, PAGES - 1]) stage(store, pfn, pfn, 7)
    store.commit()
    const zeroes = () => fills(store).filter((fill) => fill === 0).length
    const counts = []
    while (!store.apply(4)) counts.push(zeroes())
    expect(counts).toEqual([4, 8, 12])
    const copied = (page: number) => [3, 4, PAGES - 1].includes(page)
    expect(fills(store)).toEqual(Array.from({ length: PAGES }, (_, page) => (copied(page) ? 7 : 0)))
    expect(store.committed).toBe(false)
  })

  test('is all zero at once when wiped, if anybody wrote to it', () => {
    const store = freshStore()
    store.touch()
    store.pages.fill(1)
    store.wipe()
    expect(fills(store)).toEqual(Array.from({ length: PAGES }, () => 0))
  })

  test('is the model, for any checkpoints in any slices', () => {
    const page = fc.record({
      pfn: fc.nat(PAGES - 1),
      slot: fc.nat(40),
      fill: fc.integer({ min: 1, max: 255 }),
    })
    const runs = fc.record({
      pfn: fc.nat(PAGES - 4),
      slot: fc.nat(40),
      fill: fc.integer({ min: 1, max: 200 }),
      count: fc.integer({ min: 1, max: 4 }),
    })
    const expanded = runs.map(({ pfn, slot, fill, count }) =>
      Array.from({ length: count }, (_, i) => ({ pfn: pfn + i, slot: slot + i, fill: fill + i })),
    )
    const pages = fc
      .array(
        fc.oneof(
          page.map((one) => [one]),
          expanded,
        ),
        { maxLength: 8 },
      )
      .map((parts) => oneEach(parts.flat()))
    const checkpoint = fc.record({
      pages,
      isWhole: fc.boolean(),
      slice: fc.integer({ min: 1, max: 5 }),
    })
    fc.assert(
      fc.property(fc.array(checkpoint, { maxLength: 6 }), (checkpoints) => {
        const store = freshStore()
        const model = Array.from({ length: PAGES }, () => 0)
        for (const one of checkpoints) {
          for (const { pfn, slot, fill } of one.pages) stage(store, pfn, slot, fill)
          if (!one.isWhole) {
            store.discard()
            continue
          }
          store.commit()
          for (let slices = 0; !store.apply(one.slice); slices++) {
            if (slices > PAGES) throw new Error('apply does not come to an end')
          }
          for (const { pfn, fill } of one.pages) model[pfn] = fill
        }
        expect(fills(store)).toEqual(model)
      }),
      { numRuns: 200 },
    )
  })

  test('keeps more runs than it has room for at first', () => {
    const pages = 5000
    const store = new PageStore(
      new ArrayBuffer(pageStoreBytes(pages * PAGE_BYTES)),
      pages * PAGE_BYTES,
    )
    for (let i = 0; i < pages; i += 2) {
      const at = store.arenaStart + i * PAGE_BYTES
      store.all[at] = 1 + (i & 127)
      store.stagePages(i, 1, at)
    }
    store.commit()
    expect(store.apply(pages)).toBe(true)
    const wrong = Array.from({ length: pages }, (_, pfn) => pfn).filter(
      (pfn) => store.pages[pfn * PAGE_BYTES] !== (pfn % 2 === 0 ? 1 + (pfn & 127) : 0),
    )
    expect(wrong).toEqual([])
  })

  test('has an arena for a whole checkpoint of every page', () => {
    expect(freshStore().arenaBytes).toBeGreaterThan(MEMORY + PAGES * 8)
  })
})

/** A checkpoint holds each page and each place once. */
function oneEach<T extends { pfn: number; slot: number }>(pages: readonly T[]): T[] {
  const [pfns, slots] = [new Set<number>(), new Set<number>()]
  return pages.filter(({ pfn, slot }) => {
    if (pfns.has(pfn) || slots.has(slot)) return false
    pfns.add(pfn)
    slots.add(slot)
    return true
  })
}

describe('the digest', () => {
  test('tells any change of one byte, and where it is', () => {
    const bytes = new Uint8Array(2 * PAGE_BYTES).fill(3)
    const digests = new Set([digestOf(bytes)])
    for (const at of [0, 1, 4095, 4096, 8191]) {
      bytes[at] ^= 1
      digests.add(digestOf(bytes))
      bytes[at] ^= 1
    }
    expect(digests.size).toBe(6)
    expect([...digests].every((digest) => /^[0-9a-f]{16}$/.test(digest))).toBe(true)
  })

  test('is the same for a guest that has grown by zero pages', () => {
    const small = new Uint8Array(PAGE_BYTES)
    small[17] = 5
    const grown = new Uint8Array(4 * PAGE_BYTES)
    grown[17] = 5
    expect(digestOf(grown)).toBe(digestOf(small))
    grown[PAGE_BYTES] = 1
    expect(digestOf(grown)).not.toBe(digestOf(small))
  })
})
