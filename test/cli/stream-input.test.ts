// How `colo verify` reads: every byte once and in order, passing over what it may, alone or with a
// second thread, whatever becomes of the file meanwhile.

import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ChunkRing, planRing } from '../../tools/verify/chunk-ring.ts'
import { readStream } from '../../tools/verify/stream-input.ts'
import type { StreamConsumer } from '../../tools/verify/stream-input.ts'
import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import * as streams from '../formats/streams.ts'
import { colo, inFolder } from './command.ts'

const MiB = 1024 * 1024
const content = Buffer.from(
  Uint32Array.from({ length: MiB }, (_, index) => index * 2654435761).buffer,
)
const FOREVER = Infinity

/** Keeps what it is given; `gap` says how much is to be passed over behind so many bytes. */
class Collector implements StreamConsumer {
  readonly pieces: Buffer[] = []
  skippable = 0
  isDone = false
  bytes = 0
  readonly #gap: (bytes: number) => number

  constructor(gap: (bytes: number) => number = () => 0) {
    this.#gap = gap
  }

  push(chunk: Uint8Array, from: number, to: number): void {
    this.pieces.push(Buffer.from(chunk.slice(from, to)))
    this.bytes += to - from
    this.skippable = this.#gap(this.bytes)
  }

  skip(bytes: number): void {
    this.pieces.push(Buffer.alloc(bytes))
    this.bytes += bytes
    this.skippable = 0
  }
}

describe('a stream in a file', () => {
  it.each([
    ['alone', FOREVER],
    ['with a second thread', MiB],
  ])('is read whole, %s', async (_, ahead) => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, content)
      const collector = new Collector()
      readStream(file, collector, ahead)
      expect(Buffer.concat(collector.pieces).equals(content)).toBe(true)
    })
  })

  it.each([
    ['alone', FOREVER],
    ['with a second thread', MiB / 2],
  ])('is passed over where it may be, %s', async (_, ahead) => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, content)
      let gaps = 0
      const collector = new Collector((bytes) => {
        if (bytes < (gaps + 1) * MiB) return 0
        gaps++
        return 100_000
      })
      readStream(file, collector, ahead)
      const read = Buffer.concat(collector.pieces)
      expect(gaps).toBeGreaterThan(1)
      expect(read.length).toBe(content.length)
      const wrong = read.findIndex((byte, at) => byte !== 0 && byte !== content[at])
      expect(wrong).toBe(-1)
    })
  })

  it('is not passed over beyond its end', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, content.subarray(0, 5000))
      const collector = new Collector(() => 10 * MiB)
      readStream(file, collector)
      expect(collector.bytes).toBe(5000)
    })
  })

  it('may become shorter while it is read', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, content)
      const collector = new Collector((bytes) => {
        if (bytes > MiB) truncateSync(file, 2 * MiB)
        return 0
      })
      readStream(file, collector, MiB / 2)
      const read = Buffer.concat(collector.pieces)
      expect(read.length).toBeGreaterThanOrEqual(2 * MiB)
      expect(read.equals(content.subarray(0, read.length))).toBe(true)
    })
  })

  it('of 300 MiB shows the flaw in its last record', { timeout: 60_000 }, async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      const parts = streams.plainStream()
      const page = streams.pageData([[1, 0]])
      const pages = streams.join(Array.from({ length: 256 }, () => page))
      writeFileSync(file, streams.join(parts.slice(0, 7)))
      for (let mib = 0; mib < 300; mib++) writeFileSync(file, pages, { flag: 'a' })
      const bad = page.with(23, 0x70)
      const offset = streams.join(parts.slice(0, 7)).length + 300 * pages.length
      const end = [bad, fixedRecords.LIBXC_END, fixedRecords.LIBXL_END]
      writeFileSync(file, streams.join(end), { flag: 'a' })
      const { code, stdout } = await colo('verify', '-q', file)
      expect(stdout).toContain(`bad-page-type at byte ${offset + 16}, record ${4 + 300 * 256}`)
      expect(code).toBe(1)
    })
  })
})

describe('a ring of chunks', () => {
  it('that cannot be read says so to who takes it, and lets nobody wait', () => {
    const ring = new ChunkRing(planRing(-1, 0, 3, { chunkBytes: 8, slots: 2 }))
    expect(ring.fillNext()).toBe(true)
    expect(ring.take(0)).toBeUndefined()
  })

  it('has no more in hand than its slots', () => {
    const ring = new ChunkRing(planRing(-1, 0, 9, { chunkBytes: 0, slots: 2 }))
    const filled = [ring.fillNext(), ring.fillNext(), ring.fillNext()]
    expect(filled).toEqual([true, true, false])
    ring.release(0)
    expect(ring.fillNext()).toBe(true)
    ring.close()
    ring.release(8)
    expect(ring.fillNext()).toBe(false)
  })
})
