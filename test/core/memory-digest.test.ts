// The digest of memory, in slices of any size, is that of the whole; and how much memory a guest may have.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MEMORY_BYTES_MAX } from '../../daemon/config.ts'
import { digestOf, MemoryDigest } from '../../shared/memory/memory-digest.ts'
import { memoryBytesFor, pageStoreBytes } from '../../shared/memory/page-store.ts'

const MIB = 1 << 20

test('slices give the same digest, and none is longer than was said', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 0, 1, 255), { maxLength: 200 }),
      fc.integer({ min: 1, max: 64 }),
      (bytes, words) => {
        const memory = new Uint8Array(Math.ceil(bytes.length / 4) * 4 + 400)
        memory.set(bytes)
        const digest = new MemoryDigest(memory)
        let steps = 1
        while (!digest.step(words)) steps++
        expect(digest.value).toBe(digestOf(memory))
        expect(steps).toBeLessThanOrEqual(2 + memory.length / 4 / words)
      },
    ),
  )
})

test('the page store of the largest memory fits into its buffer', () => {
  for (const buffer of [256 * MIB, 2 ** 31, 2 ** 32 - 1, 2 ** 33]) {
    const most = memoryBytesFor(buffer, MIB)
    expect(pageStoreBytes(most)).toBeLessThanOrEqual(buffer)
    expect(pageStoreBytes(most + MIB)).toBeGreaterThan(buffer)
  }
  expect(new Uint8Array(new SharedArrayBuffer(pageStoreBytes(MEMORY_BYTES_MAX)))[0]).toBe(0)
})
