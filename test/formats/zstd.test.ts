// Zstandard beside somebody else's: what libzstd packs we unpack, whole or in pieces that end with blocks; of what is
// damaged we say the same as libzstd does, but for what only the end of a frame could tell. Frames made by hand show
// the rest.

import { compress, decompress, init } from '@bokuweb/zstd-wasm'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { ZstdError } from '../../formats/zstd/zstd-error.ts'
import { WINDOW_BYTES_MAX, ZstdStream } from '../../formats/zstd/zstd-stream.ts'

beforeAll(() => init())

const BLOCK_BYTES = 128 * 1024

/** Bytes as memory has them: runs, words that count, text, noise, and pieces of what came before. */
const pieces = fc.array(
  fc.record({
    kind: fc.constantFrom('run', 'count', 'text', 'noise', 'again'),
    value: fc.nat(0xffff),
    length: fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(60_000)),
  }),
  { maxLength: 12 },
)
type Pieces = typeof pieces extends fc.Arbitrary<infer Value> ? Value : never

function memoryOf(list: Pieces): Uint8Array {
  const parts: Uint8Array[] = [new Uint8Array(0)]
  for (const { kind, value, length } of list) {
    const part = new Uint8Array(length)
    const before = parts[value % parts.length]
    let noise = value
    for (let i = 0; i < length; i++) {
      noise = (Math.imul(noise, 0x0019_660d) + 0x3c6e_f35f) | 0
      if (kind === 'run') part[i] = value
      else if (kind === 'count') part[i] = (i & 3) === 0 ? value + (i >> 2) : 0
      else if (kind === 'text')
        part[i] = `page ${value + (i >> 5)} of the guest, `.charCodeAt(i & 31)
      else if (kind === 'again') part[i] = before[i % (before.length || 1)] ?? value
      else part[i] = noise >> 16
    }
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

function faultOf(decode: () => unknown): ZstdError {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(ZstdError)
    return error as ZstdError
  }
  throw new Error('it was not refused')
}

const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0

describe('what libzstd packs', () => {
  it('is unpacked, at every level', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 22 }), (list, level) => {
        const data = memoryOf(list)
        const unpacked = new ZstdStream().decode(compress(data, level), data.length)
        return same(unpacked, data)
      }),
      { numRuns: 60 },
    )
  })

  it('is unpacked in pieces, each as soon as it is there', () => {
    const data = memoryOf(
      Array.from({ length: 60 }, (_, i) => {
        const kind = (['text', 'noise', 'again', 'count', 'run'] as const)[i % 5]
        return { kind, value: i * 77, length: 50_000 }
      }),
    )
    const stream = new ZstdStream()
    const packed = compress(data, 3)
    const ends = endsOfBlocks(packed)
    let [from, to] = [0, 0]
    for (const at of ends) {
      // Blocks have no sizes of what they hold.
      const whole = () => new ZstdStream().decode(packed.subarray(0, at), data.length + 1)
      const next = Number(/holds (\d+) bytes/.exec(faultOf(whole).rule)?.[1])
      const unpacked = stream.decode(packed.subarray(from, at), next - to)
      expect(same(unpacked, data.subarray(to, next))).toBe(true)
      ;[from, to] = [at, next]
    }
    expect(to).toBe(data.length)
    expect(ends.length).toBeGreaterThanOrEqual(data.length / BLOCK_BYTES)
    // Another frame may follow the end of one.
    expect(
      same(stream.decode(compress(data.subarray(0, 9999)), 9999), data.subarray(0, 9999)),
    ).toBe(true)
  })

  it('is refused where libzstd refuses it, and unpacked alike where it does not', () => {
    const seen = { alike: 0, refused: 0 }
    fc.assert(
      fc.property(
        pieces,
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { minLength: 1, maxLength: 3 }),
        (list, level, damage) => {
          const data = memoryOf(list)
          const packed = Buffer.from(compress(data, level))
          const { length: headBytes } = headOf(packed)
          for (const { at, bit } of damage) {
            packed[headBytes + (at % Math.max(1, packed.length - headBytes))] ^= 1 << bit
          }
          const theirs = decompressed(packed)
          let ours: Uint8Array | undefined
          try {
            ours = new ZstdStream().decode(packed, data.length)
          } catch (error) {
            expect(error).toBeInstanceOf(ZstdError)
          }
          if (theirs === undefined) seen.refused++
          if (theirs === undefined || ours === undefined) return true
          seen.alike++
          return same(ours, theirs)
        },
      ),
      { numRuns: 300 },
    )
    expect(seen.alike).toBeGreaterThan(5)
    expect(seen.refused).toBeGreaterThan(50)
  })
})

function decompressed(packed: Uint8Array): Uint8Array | undefined {
  try {
    return decompress(packed)
  } catch {
    return undefined
  }
}

/** The head of a frame with the size of its contents, as the simple API writes it. */
function headOf(packed: Uint8Array): { readonly length: number } {
  const flags = packed[4]
  const isSingle = (flags & 0x20) !== 0
  const sizeBytes = flags >> 6 > 0 ? 1 << (flags >> 6) : isSingle ? 1 : 0
  return { length: 5 + (isSingle ? 0 : 1) + sizeBytes }
}

function endsOfBlocks(packed: Uint8Array): number[] {
  const ends: number[] = []
  let at = headOf(packed).length
  while (at < packed.length) {
    const head = packed[at] | (packed[at + 1] << 8) | (packed[at + 2] << 16)
    at += 3 + (((head >> 1) & 3) === 1 ? 1 : head >> 3)
    ends.push(at)
  }
  return ends
}

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
/** Of 1 MiB. */
const WINDOW = 10 << 3
const FRAME = [...MAGIC, 0, WINDOW]

function block(kind: number, size: number, contents: readonly number[], isLast = false): number[] {
  const head = (size << 3) | (kind << 1) | (isLast ? 1 : 0)
  return [head & 0xff, (head >> 8) & 0xff, head >> 16, ...contents]
}
const raw = (...contents: number[]) => block(0, contents.length, contents)
const run = (value: number, count: number) => block(1, count, [value])
const packed = (...contents: number[]) => block(2, contents.length, contents)

describe('frames made by hand', () => {
  const decode = (bytes: readonly number[], due: number) =>
    new ZstdStream().decode(Uint8Array.from(bytes), due)

  it('give plain blocks and runs at once, however short', () => {
    const stream = new ZstdStream()
    expect([...stream.decode(Uint8Array.from([...FRAME, ...run(7, 4)]), 4)]).toEqual([7, 7, 7, 7])
    expect([...stream.decode(Uint8Array.from(raw(1, 2)), 2)]).toEqual([1, 2])
    expect([...stream.decode(new Uint8Array(0), 0)]).toEqual([])
    // No literals, one sequence by constant codes: no literals, offset 3 - 3 + 6, 3 + 1 bytes.
    const again = packed(0, 1, 0b0101_0100, 0, 3, 1, 0b1001)
    expect([...stream.decode(Uint8Array.from(again), 4)]).toEqual([7, 7, 7, 7])
  })

  it('end with a checksum, or without', () => {
    const last = block(1, 3, [9], true)
    expect([...decode([...MAGIC, 4, WINDOW, ...last, 1, 2, 3, 4], 3)]).toEqual([9, 9, 9])
    expect([...decode([...FRAME, ...last, ...FRAME, ...run(8, 1)], 4)]).toEqual([9, 9, 9, 8])
  })

  it('hold no more memory than their window wants', () => {
    const stream = new ZstdStream()
    stream.decode(Uint8Array.from(FRAME), 0)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 2000; i++) stream.decode(Uint8Array.from(run(i, 65_536)), 65_536)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  })

  const huge = [...MAGIC, 0, (16 << 3) | 0]
  const cases: readonly [string, readonly number[], number, RegExp][] = [
    ['another magic', [1, 2, 3, 4, 0, WINDOW], 0, /no frame of zstd begins/],
    ['a head that is cut off', MAGIC, 0, /no frame of zstd begins/],
    ['a reserved flag', [...MAGIC, 8, WINDOW], 4, /reserved/],
    ['a dictionary', [...MAGIC, 1, WINDOW, 5], 4, /dictionary/],
    ['a window that is too large', huge, 5, /a window of 67108864 bytes, where 33554432 are read/],
    ['a window of terabytes', [...MAGIC, 0, 0xff], 5, /a window of \d{13} bytes/],
    ['a segment that is too large', [...MAGIC, 0xe0, ...Array<number>(8).fill(255)], 5, /a window/],
    ['a reserved kind of block', [...FRAME, ...block(3, 0, [])], 6, /reserved/],
    ['a block that is too large', [...FRAME, ...run(1, 131_073)], 6, /a block of 131073 bytes/],
    ['a block that is cut off', [...FRAME, ...raw(1, 2, 3).slice(0, -1)], 6, /broken off/],
    [
      'a checksum that is cut off',
      [...MAGIC, 4, WINDOW, ...block(1, 1, [1], true), 1],
      10,
      /check/,
    ],
    ['more than is due', [...FRAME, ...run(1, 101)], 6, /more than is due/],
    ['less than is due', [...FRAME, ...run(1, 99)], 10, /99 bytes, where 100 are due/],
    ['an empty packed block', [...FRAME, ...packed()], 9, /too short/],
    ['literals of no table', [...FRAME, ...packed(3, 0, 0, 0, 0)], 12, /there is none/],
    ['literals beyond the block', [...FRAME, ...packed(0xf8, 1)], 9, /beyond their block/],
    ['a table of no block', [...FRAME, ...packed(0, 1, 0b1100_0000, 1)], 11, /there is none/],
    ['reserved modes', [...FRAME, ...packed(0, 1, 1, 1)], 11, /reserved/],
    ['a code that is not', [...FRAME, ...packed(0, 1, 0b0100_0000, 36, 1)], 12, /the code 36/],
    ['an end without mark', [...FRAME, ...packed(0, 1, 0, 0)], 12, /mark of its end/],
    ['too few bits', [...FRAME, ...packed(0, 1, 0, 3)], 12, /broken off/],
    [
      'far back',
      [...FRAME, ...run(1, 9), ...packed(0, 1, 0x54, 0, 4, 0, 0b1_0000)],
      19,
      /13 bytes/,
    ],
    ['bytes left', [...FRAME, ...packed(0, 0, 1)], 11, /behind a block without sequences/],
  ]

  it.each(cases)('with %s are refused', (_, bytes, offset, rule) => {
    const { offset: at, message } = faultOf(() => decode(bytes, 100))
    expect(message).toMatch(rule)
    expect(at).toBe(offset)
    expect(WINDOW_BYTES_MAX).toBe(32 * 1024 * 1024)
  })
})
