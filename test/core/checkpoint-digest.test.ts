// The digest of a checkpoint: the module and plain JavaScript agree, and damage of every kind changes it. Damage
// of one word changes both halves for certain, so that is tested for every bit.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PAGE_BYTES } from '../../shared/guest.ts'
import { CheckpointDigest } from '../../shared/memory/checkpoint-digest.ts'
import { newMixMemory, newWasmPageMix } from '../../shared/memory/page-mix-module.ts'
import { PlainPageMix } from '../../shared/memory/page-mix.ts'

const PAGES = 6
const WORDS_PER_PAGE = PAGE_BYTES / 4
const memory = newMixMemory(16 * PAGE_BYTES)
if (memory === undefined) throw new Error('WebAssembly with shared memory and vectors is needed')
const bytes = new Uint8Array(memory.buffer)
const words = new Uint32Array(memory.buffer)
const plain = new CheckpointDigest(new PlainPageMix(memory.buffer))
const fast = new CheckpointDigest(newWasmPageMix(memory))
const PFNS = Uint32Array.of(7, 8, 9, 30, 31, 65_536)

/** Of as many pages as there are pfns, from offset `at` on. */
function digest(by: CheckpointDigest, { pfns = PFNS, at = 0 } = {}) {
  by.begin()
  pfns.forEach((pfn, i) => by.pages(pfn, 1, at + i * PAGE_BYTES))
  return by.end()
}

/** Of states alone. */
function digestOfStates(...states: readonly Uint8Array[]) {
  fast.begin()
  for (const state of states) fast.record(9, state)
  return fast.end()
}

/** What most memory looks like: zeros, small numbers, and words that repeat. */
const anyWord = fc.oneof(fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff))
const anyWords = fc.array(anyWord, { minLength: 1, maxLength: 40 })

/** Fills the pages with these words, again and again. */
function fill(pattern: readonly number[]): void {
  for (let i = 0; i < PAGES * WORDS_PER_PAGE; i++) words[i] = pattern[i % pattern.length]
}

const anyPlace = fc.nat(PAGES * WORDS_PER_PAGE - 1)

function exchange(a: number, b: number): void {
  ;[words[a], words[b]] = [words[b], words[a]]
}

describe('the digest of pages', () => {
  test('is the same from the module and from plain JavaScript, wherever the pages lie', () => {
    const anyPfns = fc.array(fc.nat(0xfffff), { minLength: 1, maxLength: PAGES })
    fc.assert(
      fc.property(anyWords, anyPfns, fc.nat(5000), (pattern, given, at) => {
        fill(pattern)
        const pfns = Uint32Array.from(given.flatMap((pfn) => [pfn, pfn + 1]).slice(0, PAGES))
        expect(digest(fast, { pfns, at })).toEqual(digest(plain, { pfns, at }))
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['zeros', [0]],
    ['ones', [0xffff_ffff]],
    ['words that differ', Array.from({ length: 4099 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0)],
  ])('both its halves change with any bit of %s', (_, pattern) => {
    fill(pattern)
    const whole = digest(fast)
    for (let bit = 0; bit < 3 * PAGE_BYTES * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7)
      const { low, high } = digest(fast)
      bytes[bit >> 3] ^= 1 << (bit & 7)
      if (low === whole.low || high === whole.high) throw new Error(`bit ${bit} is not found`)
    }
    expect(digest(fast)).toEqual(whole)
  })

  test('both its halves change with any bit of a pfn', () => {
    fill([1, 2, 3])
    const whole = digest(fast)
    for (let bit = 0; bit < PFNS.length * 32; bit++) {
      const pfns = PFNS.slice()
      pfns[bit >> 5] ^= 1 << (bit & 31)
      const { low, high } = digest(fast, { pfns })
      expect([low === whole.low, high === whole.high]).toEqual([false, false])
    }
  })

  test('finds two words exchanged, anywhere', () => {
    fc.assert(
      fc.property(anyWords, anyPlace, anyPlace, anyWord, anyWord, (pattern, a, b, one, other) => {
        fc.pre(one !== other && a !== b)
        fill(pattern)
        words[a] = one
        words[b] = other
        const whole = digest(fast)
        exchange(a, b)
        expect(digest(fast)).not.toEqual(whole)
      }),
      { numRuns: 2000 },
    )
  })

  test('finds the highest bit of two words of one chain', () => {
    fill([0x1234_5678, 0, 77])
    const whole = digest(fast)
    for (let apart = 1; apart < 128; apart++) {
      words[5] ^= 0x8000_0000
      words[5 + 32 * apart] ^= 0x8000_0000
      expect(digest(fast)).not.toEqual(whole)
      words[5] ^= 0x8000_0000
      words[5 + 32 * apart] ^= 0x8000_0000
    }
  })

  test('finds two pages exchanged, with their pfns and without', () => {
    fc.assert(
      fc.property(anyWords, fc.nat(PAGES - 1), fc.nat(PAGES - 1), anyPlace, (pattern, a, b, at) => {
        fc.pre(a !== b)
        fill(pattern)
        words[a * WORDS_PER_PAGE + (at % WORDS_PER_PAGE)] ^= 0x10
        const whole = digest(fast)
        const pfns = PFNS.slice()
        ;[pfns[a], pfns[b]] = [pfns[b], pfns[a]]
        expect(digest(fast, { pfns })).not.toEqual(whole)
        const page = bytes.slice(a * PAGE_BYTES, (a + 1) * PAGE_BYTES)
        fc.pre(page.some((byte, i) => byte !== bytes[b * PAGE_BYTES + i]))
        bytes.copyWithin(a * PAGE_BYTES, b * PAGE_BYTES, (b + 1) * PAGE_BYTES)
        bytes.set(page, b * PAGE_BYTES)
        expect(digest(fast, { pfns })).not.toEqual(whole)
        expect(digest(fast)).not.toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  test('finds a page that is missing, doubled or at another pfn, also one of zeros', () => {
    fill([0])
    const whole = digest(fast)
    const others = [
      PFNS.slice(1),
      PFNS.slice(0, -1),
      Uint32Array.from([...PFNS, 65_536]),
      Uint32Array.from([...PFNS, 65_537]),
      Uint32Array.of(7, 8, 10, 30, 31, 65_536),
    ]
    for (const pfns of others) expect(digest(fast, { pfns })).not.toEqual(whole)
    fill([0, 0, 0, 1])
    expect(digest(fast)).not.toEqual(whole)
  })

  test('begins anew with each checkpoint', () => {
    fill([5])
    const whole = digest(fast)
    fast.pages(PFNS[0], 1, 0)
    expect(digest(fast)).toEqual(whole)
  })
})

describe('the digest of other records', () => {
  const anyState = fc.uint8Array({ minLength: 1, maxLength: 70 })

  test('changes in both halves with any bit', () => {
    fc.assert(
      fc.property(anyState, anyState, fc.nat(), (one, other, place) => {
        const whole = digestOfStates(one, other)
        const bit = place % (one.length * 8)
        one[bit >> 3] ^= 1 << (bit & 7)
        const { low, high } = digestOfStates(one, other)
        expect([low === whole.low, high === whole.high]).toEqual([false, false])
      }),
    )
  })

  test('tells where one ends and the next begins, and zeros at the end', () => {
    const of = (...numbers: number[]) => Uint8Array.from(numbers)
    const all = [
      digestOfStates(of(1, 2), of(3)),
      digestOfStates(of(1), of(2, 3)),
      digestOfStates(of(1, 2, 3)),
      digestOfStates(of(1, 2, 3, 0)),
      digestOfStates(of(3), of(1, 2)),
    ]
    expect(new Set(all.map(({ low, high }) => `${low} ${high}`)).size).toBe(all.length)
  })
})
