// Damaged streams: whatever bytes come, the walk and the decoding behind it end, in bounded memory, and raise
// nothing but QemuStreamError. A short run is part of the tests; COLO_FUZZ_RUNS=100000 makes a long one, and
// COLO_FUZZ_SEED repeats one. Inputs that once broke something are below, each as its mutation.

import { describe, expect, it } from 'vitest'
import { captureBytes, CORPUS_MISSING, STREAM_NAMES, streamBytes } from './corpus.ts'
import { decodeAll, WAYS } from './decode-all.ts'

const RUNS = Number(process.env['COLO_FUZZ_RUNS'] ?? 100)
const SEED = Number(process.env['COLO_FUZZ_SEED'] ?? 1)

/** Streams that are small, or have what others do not. */
const SMALL = ['microvm-virtio-mmio', 'pc-multifd', 'microblaze', 'isapc', 'aarch64-virt-gicv3']

/** mulberry32: small, and the same everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) % below
  }
}

const INTERESTING = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x20, 0x7e, 0x7f, 0x80, 0xfe, 0xff]

/** Half of the damage is done where items and devices are, not in pages. */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = bytes.slice(0, random(8) === 0 ? random(bytes.length) : bytes.length)
  const count = 1 + random(4)
  for (let i = 0; i < count && copy.length > 0; i++) {
    const at = random(2) === 0 ? random(copy.length) : Math.max(0, copy.length - 1 - random(60_000))
    const kind = random(4)
    if (kind === 0) copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
    else if (kind === 1) copy[at] = INTERESTING[random(INTERESTING.length)] ?? 0
    else if (kind === 2) copy.copyWithin(at, random(copy.length), at + random(64))
    else copy.fill(INTERESTING[random(INTERESTING.length)] ?? 0, at, at + random(16))
  }
  return copy
}

describe.skipIf(STREAM_NAMES.length === 0)(`damaged streams (else ${CORPUS_MISSING})`, () => {
  const isHere = STREAM_NAMES.length > 0
  const inputs = isHere ? [...SMALL.map(streamBytes), captureBytes('q35_small')] : []

  it(
    `raise QemuStreamError and nothing else (${RUNS} of seed ${SEED})`,
    { timeout: 3_600_000 },
    () => {
      const random = randomOf(SEED)
      const outcomes = new Map<string, number>()
      for (let run = 0; run < RUNS; run++) {
        const input = inputs[random(inputs.length)] ?? new Uint8Array()
        const damaged = mutate(input, random)
        let outcome: string
        try {
          outcome = (WAYS[run % WAYS.length] ?? decodeAll)(damaged)
        } catch (error) {
          throw new Error(`run ${run} of seed ${SEED}`, { cause: error })
        }
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
      // Damage is seen: most of it is, where it is not in a page or in a device's numbers.
      expect(outcomes.size).toBeGreaterThan(3)
      expect(process.memoryUsage().rss).toBeLessThan(1024 ** 3)
    },
  )
})

describe('small damaged streams', () => {
  const header = [0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 3]
  const start = [1, 0, 0, 0, 2, 3, 0x72, 0x61, 0x6d, 0, 0, 0, 0, 0, 0, 0, 4]
  const outcome = (...bytes: number[]) => decodeAll(Uint8Array.from(bytes))

  it.each([
    ['nothing', [], 'bad-magic'],
    ['no magic', [1, 2, 3, 4, 5], 'bad-magic'],
    ['version 2', [0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 2], 'bad-version'],
    ['only a header', header, 'truncated'],
    ['a machine of 4 GiB', [...header, 7, 255, 255, 255, 255], 'too-long'],
    ['an unknown item', [...header, 9], 'unknown-item'],
    ['an unknown command', [...header, 8, 0, 99, 0, 0], 'bad-command'],
    ['a ping of no bytes', [...header, 8, 0, 2, 0, 0], 'bad-command'],
    ['a part of nothing', [...header, 2, 0, 0, 0, 2], 'unknown-item'],
    ['another version of ram', [...header, ...start.slice(0, -1), 5], 'bad-version'],
    ['a page of no block', [...header, ...start, 0, 0, 0, 0, 0, 0, 0, 0x28], 'bad-ram'],
    ['flags that nobody writes', [...header, ...start, 0, 0, 0, 0, 0, 0, 0, 1], 'bad-ram'],
    [
      'a block that is longer than all',
      [...header, ...start, 0, 0, 0, 0, 0, 0, 0x10, 4, 1, 97, 0, 0, 0, 0, 0, 0, 0x20, 0],
      'bad-ram',
    ],
    ['bytes behind the end', [...header, 0, 1, 2, 3], 'unknown-item'],
    ['zeros behind the end', [...header, 0, 0, 0, 0], 'whole'],
    ['a description that is none', [...header, 0, 6, 0, 0, 0, 2, 0x7b, 0x7d], 'bad-description'],
    [
      'a package in a package',
      [...header, 8, 0, 7, 0, 4, 0, 0, 0, 40, 8, 0, 7, 0, 4, 0, 0, 0, 9],
      'bad-command',
    ],
  ])('%s', (_what, bytes, code) => {
    expect(outcome(...bytes)).toBe(code)
  })
})
