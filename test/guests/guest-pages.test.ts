// What a capture takes of a guest's memory: by the log's marks and by the scan alike, every page that changed
// and every page that is new, however stores straddle pages, and the store is equal to memory afterwards.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PAGE_BYTES } from '../../shared/guest.ts'
import { GuestPages, type DirtyPages } from '../../keepers/wasm/guest-pages.ts'
import { CheckedPageLog, PageLog, PageMissed } from '../../keepers/wasm/page-log.ts'
import { PageScan } from '../../keepers/wasm/page-scan.ts'

const PAGES = 48
const TABLE_BYTES = 65536
const nothing = () => {}

class Memory {
  pages: GuestPages
  readonly pfns: Uint32Array
  readonly bytes: Uint8Array
  readonly #dirty: DirtyPages
  readonly #hasTable: boolean
  #buffer: ArrayBuffer

  constructor(dirty: DirtyPages, tableBytes: number) {
    this.#dirty = dirty
    const store = new SharedArrayBuffer(2 * PAGES * PAGE_BYTES)
    const pfns = new SharedArrayBuffer(2 * PAGES * 4)
    this.pfns = new Uint32Array(pfns)
    this.bytes = new Uint8Array(store)
    this.pages = new GuestPages(store, pfns, tableBytes, dirty)
    this.#hasTable = tableBytes > 0
    this.#buffer = new ArrayBuffer(tableBytes + PAGES * PAGE_BYTES)
    this.pages.attach(this.#buffer)
  }

  /** As a rewritten guest does it: the mark is of the page in which the store begins. */
  store(at: number, length: number, value: number): void {
    this.pages.ram.fill(value, at, at + length)
    if (this.#hasTable) this.pages.table[at >>> 12] = 1
  }

  grow(pages: number): void {
    const larger = new ArrayBuffer(this.#buffer.byteLength + pages * PAGE_BYTES)
    new Uint8Array(larger).set(new Uint8Array(this.#buffer))
    this.#buffer = larger
    this.pages.attach(larger)
  }

  /** The guest goes on in another thread, from what the store has. */
  moveOn(): void {
    const [store, pfns] = [this.bytes.buffer, this.pfns.buffer] as SharedArrayBuffer[]
    this.pages = new GuestPages(store, pfns, this.pages.tableBytes, this.#dirty)
    this.#buffer = new ArrayBuffer(this.#buffer.byteLength)
    this.pages.attach(this.#buffer)
    this.pages.restore()
  }

  captured(): number[] {
    return [...this.pfns.subarray(0, this.pages.captureDirty(nothing))]
  }

  get isEqual(): boolean {
    const { ram } = this.pages
    return ram.equals(this.bytes.subarray(0, ram.length))
  }
}

const schemes: readonly (readonly [name: string, make: () => Memory])[] = [
  ['the log', () => new Memory(new PageLog(), TABLE_BYTES)],
  ['the scan', () => new Memory(new PageScan(), 0)],
  ['the log, checked', () => new Memory(new CheckedPageLog(), TABLE_BYTES)],
]

/** Near the edges of pages, where a store may reach into the next. */
const stores = fc.array(
  fc.record({
    page: fc.integer({ min: 0, max: PAGES - 2 }),
    offset: fc.oneof(fc.integer({ min: 4080, max: 4095 }), fc.integer({ min: 0, max: 4095 })),
    length: fc.constantFrom(1, 2, 4, 8, 16),
    value: fc.integer({ min: 1, max: 255 }),
  }),
  { maxLength: 60 },
)

/** What becomes of memory between two full copies. */
const deed = fc.oneof(
  fc.record({ kind: fc.constant('store'), page: fc.nat(PAGES - 2), at: fc.nat(PAGE_BYTES - 1) }),
  fc.record({
    kind: fc.constantFrom('clear', 'write'),
    page: fc.nat(PAGES - 2),
    at: fc.constant(0),
  }),
  fc.record({
    kind: fc.constantFrom('capture', 'all', 'move', 'grow'),
    ...{ page: fc.constant(0), at: fc.constant(0) },
  }),
)

function isZero(memory: Memory, page: number): boolean {
  return memory.pages.ram
    .subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
    .every((byte) => byte === 0)
}

function act(memory: Memory, { kind, page, at }: { kind: string; page: number; at: number }): void {
  const start = page * PAGE_BYTES
  if (kind === 'store') memory.store(start + at, 16, 1 + (at & 127))
  else if (kind === 'write') memory.pages.write(start + 4000, new Uint8Array(200).fill(page + 1))
  else if (kind === 'clear') for (let i = 0; i < PAGE_BYTES; i += 16) memory.store(start + i, 16, 0)
  else if (kind === 'grow' && memory.pages.ram.length < (2 * PAGES - 1) * PAGE_BYTES) memory.grow(1)
  else if (kind === 'capture') memory.captured()
}

describe.each(schemes)('%s', (_, make) => {
  test('a full copy is of every page that is not zero, whatever was captured before it', () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const memory = make()
        for (const one of [...deeds, { kind: 'all', page: 0, at: 0 }]) {
          act(memory, one)
          if (one.kind !== 'all' && one.kind !== 'move') continue
          const count = memory.pages.captureAll(nothing)
          const pages = memory.pages.ram.length / PAGE_BYTES
          const used = Array.from({ length: pages }, (__, page) => page).filter(
            (page) => !isZero(memory, page),
          )
          expect([...memory.pfns.subarray(0, count)]).toEqual(used)
          expect(memory.isEqual).toBe(true)
          if (one.kind === 'move') memory.moveOn()
          expect(memory.isEqual).toBe(true)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('takes every page that changed, each once and in order, and leaves the store equal', () => {
    fc.assert(
      fc.property(fc.array(stores, { maxLength: 4 }), (epochs) => {
        const memory = make()
        memory.pages.captureAll(nothing)
        for (const epoch of epochs) {
          const before = Buffer.from(memory.pages.ram)
          for (const { page, offset, length, value } of epoch) {
            memory.store(page * PAGE_BYTES + offset, length, value)
          }
          const changed = Array.from({ length: PAGES }, (__, page) => page).filter((page) => {
            const [from, to] = [page * PAGE_BYTES, (page + 1) * PAGE_BYTES]
            return !before.subarray(from, to).equals(memory.pages.ram.subarray(from, to))
          })
          const captured = memory.captured()
          expect(captured).toEqual([...new Set(captured)].toSorted((a, b) => a - b))
          expect(changed.filter((page) => !captured.includes(page))).toEqual([])
          expect(memory.isEqual).toBe(true)
          expect(memory.captured()).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })

  test('takes what the host wrote, over page edges too', () => {
    const memory = make()
    memory.pages.captureAll(nothing)
    memory.pages.write(5 * PAGE_BYTES - 3, new Uint8Array(2 * PAGE_BYTES).fill(7))
    expect(memory.captured()).toEqual([4, 5, 6])
    expect(memory.isEqual).toBe(true)
  })

  test('takes new pages, zero or not, and those before them that changed', () => {
    const memory = make()
    memory.pages.captureAll(nothing)
    memory.store(PAGES * PAGE_BYTES - 1, 1, 9)
    memory.grow(3)
    expect(memory.captured()).toEqual([PAGES - 1, PAGES, PAGES + 1, PAGES + 2])
    memory.store((PAGES + 1) * PAGE_BYTES, 4, 3)
    expect(memory.captured()).toEqual([PAGES + 1])
    expect(memory.isEqual).toBe(true)
  })

  test('has nothing to take after a guest was restored', () => {
    const memory = make()
    memory.store(0, 4, 1)
    memory.bytes.fill(5, 0, PAGES * PAGE_BYTES)
    memory.pages.restore()
    expect(memory.isEqual).toBe(true)
    expect(memory.captured()).toEqual([])
  })
})

test('the log counts what has changed, the scan does not know', () => {
  const log = new Memory(new PageLog(), TABLE_BYTES)
  const scan = new Memory(new PageScan(), 0)
  for (const memory of [log, scan]) {
    memory.pages.captureAll(nothing)
    expect(memory.pages.dirtyCount).toBe(0)
    for (const page of [0, 1, 2, 3, 7, 7, PAGES - 1]) memory.store(page * PAGE_BYTES, 4, 9)
    memory.pages.write(20 * PAGE_BYTES, new Uint8Array(2 * PAGE_BYTES))
  }
  expect(log.pages.dirtyCount).toBe(8)
  expect(scan.pages.dirtyCount).toBe(0)
  log.captured()
  expect(log.pages.dirtyCount).toBe(0)
})

test('a page that the log missed is told by the check', () => {
  const memory = new Memory(new CheckedPageLog(), TABLE_BYTES)
  memory.pages.captureAll(nothing)
  memory.pages.ram[7 * PAGE_BYTES + 100] = 1
  expect(() => memory.captured()).toThrow(PageMissed)
  expect(() => memory.captured()).toThrow('page 7')
})
