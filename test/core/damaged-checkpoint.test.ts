// A secondary never commits a checkpoint that its primary did not send. A full copy and a checkpoint are damaged
// on their way, bit by bit and in larger ways; the reader refuses them, or waits for bytes that do not come. Only
// where the damage is in bytes that say nothing (reserved fields, padding) may it take the checkpoint as it was.

import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CheckpointWriter } from '../../primary/checkpoint-writer.ts'
import { CheckpointReader, type StagedCheckpoint } from '../../secondary/checkpoint-reader.ts'
import type { BlobVersion } from '../../shared/protocol/emulator-blob.ts'
import { StreamError } from '../../formats/xen/stream-error.ts'
import { PAGE_BYTES, type GuestState } from '../../shared/guest.ts'
import { digestOf } from '../../shared/memory/memory-digest.ts'
import { PageStore } from '../../shared/memory/page-store.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { join } from '../formats/streams.ts'

const MEMORY = 16 * PAGE_BYTES
const STORE_BYTES = MEMORY + LIMITS.inFlightBytesMax + 2 ** 20
const PFNS = Uint32Array.of(2, 3, 9)
/** Bits of the pages that are tried: all would take a minute. */
const EVERY_NTH = 61

const state: GuestState = { cpu: Uint8Array.of(1, 2, 3), device: new Uint8Array(13).fill(5) }
const sending = new PageStore(new ArrayBuffer(STORE_BYTES), MEMORY)
const buffer = new ArrayBuffer(STORE_BYTES)
const damaged = new PageStore(buffer, MEMORY)

/** The bytes of a full copy, and of the checkpoint behind it. */
function written(version: BlobVersion): readonly Uint8Array[] {
  const chunks: Uint8Array[] = []
  const write = (given: readonly Uint8Array[]) => {
    for (const chunk of given) chunks.push(chunk.slice())
  }
  const writer = new CheckpointWriter(sending, { write, close() {} }, version)
  return [1, 2].map((epoch) => {
    for (const pfn of PFNS) {
      for (let at = 0; at < PAGE_BYTES; at++) sending.pages[pfn * PAGE_BYTES + at] = at * 7 + pfn
    }
    if (epoch === 1) writer.open()
    else writer.request()
    const capture = { id: epoch, pfns: PFNS, pages: PFNS.length, pauseMs: 0, findMs: 0, state }
    writer.finish(capture, { generation: 1, epoch })
    while (!writer.pump()) writer.taken()
    return join(chunks.splice(0))
  })
}

/** As a socket would: into the buffer that the reader gives, as much as fits, again and again. */
function give(reader: CheckpointReader, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const room = reader.buffer()
    const count = Math.min(room.length, bytes.length - at)
    room.set(bytes.subarray(at, at + count))
    reader.received(count)
    at += count
  }
}

type Outcome = 'refused' | 'waits' | 'taken'

/** What becomes of these bytes; what is taken is what was sent. */
function outcomeOf(rounds: readonly Uint8Array[], version: BlobVersion = 2): Outcome {
  damaged.touch()
  damaged.clear()
  const ended: StagedCheckpoint[] = []
  const reader = new CheckpointReader(damaged, 0, version, {
    requested() {},
    began() {},
    ended: (staged) => {
      ended.push(staged)
      damaged.commit()
      damaged.apply(Number.POSITIVE_INFINITY)
    },
    check: () => undefined,
  })
  try {
    for (const bytes of rounds) give(reader, bytes)
  } catch (error) {
    if (error instanceof StreamError) return 'refused'
    throw error
  }
  if (ended.length < rounds.length) return 'waits'
  expect(digestOf(damaged.pages)).toBe(digestOf(sending.pages))
  expect(ended.at(-1)).toEqual({ generation: 1, epoch: rounds.length, state })
  return 'taken'
}

let full: Uint8Array
let next: Uint8Array

beforeAll(() => {
  ;[full, next] = written(2)
})

afterEach(() => {
  if (damaged.committed) damaged.apply(Number.POSITIVE_INFINITY)
})

/** Where the only copy of these bytes begins. */
const placeOf = (bytes: Uint8Array, wanted: Uint8Array) =>
  Buffer.from(bytes).indexOf(Buffer.from(wanted))

describe('a checkpoint', () => {
  test('is taken as it was sent', () => {
    expect(outcomeOf([full])).toBe('taken')
    expect(outcomeOf([full, next])).toBe('taken')
  })

  test.each(['full copy', 'checkpoint'])(
    'is never taken as anything else: a bit of a %s',
    (kind) => {
      const isFull = kind === 'full copy'
      const bytes = (isFull ? full : next).slice()
      const rounds = isFull ? [bytes] : [full, bytes]
      const pagesAt = placeOf(bytes, sending.pages.subarray(2 * PAGE_BYTES, 3 * PAGE_BYTES))
      const pagesEnd = pagesAt + PFNS.length * PAGE_BYTES
      const wordsAt = pagesAt - PFNS.length * 8
      const cpuAt = placeOf(bytes.subarray(pagesEnd), state.cpu) + pagesEnd
      const deviceAt = placeOf(bytes.subarray(pagesEnd), state.device) + pagesEnd
      /** From the pfn words to the end of the pages, the CPU state, and our header up to the end of the device. */
      const counts = (at: number) =>
        (at >= wordsAt && at < pagesEnd) ||
        (at >= cpuAt && at < cpuAt + state.cpu.length) ||
        (at >= deviceAt - 40 && at < deviceAt + state.device.length)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const at = bit >> 3
        if (at >= pagesAt && at < pagesEnd && bit % EVERY_NTH !== 0) continue
        bytes[at] ^= 1 << (bit & 7)
        const outcome = outcomeOf(rounds)
        bytes[at] ^= 1 << (bit & 7)
        if (counts(at)) expect([bit, outcome]).toEqual([bit, 'refused'])
      }
      expect(outcomeOf(rounds)).toBe('taken')
    },
  )

  test('is refused with two pages exchanged, two pfns exchanged, or a page at another pfn', () => {
    const [first, second] = [2, 3].map((pfn) =>
      sending.pages.subarray(pfn * PAGE_BYTES, (pfn + 1) * PAGE_BYTES),
    )
    const at = placeOf(next, first)
    const pages = next.slice()
    pages.set(second, at)
    pages.set(first, at + PAGE_BYTES)
    expect(outcomeOf([full, pages])).toBe('refused')
    const words = at - PFNS.length * 8
    const pfns = next.slice()
    pfns[words] = 3
    pfns[words + 8] = 2
    expect(outcomeOf([full, pfns])).toBe('refused')
    const wrong = next.slice()
    wrong[words] = 5
    expect(outcomeOf([full, wrong])).toBe('refused')
  })

  test('says why it is refused', () => {
    const bytes = full.slice()
    bytes[placeOf(bytes, state.device)] ^= 4
    const reader = new CheckpointReader(damaged, 0, 2, {
      ...{ requested() {}, began() {}, ended() {} },
      check: () => undefined,
    })
    damaged.clear()
    expect(() => give(reader, bytes)).toThrow(/the digest is not that of the bytes received/)
  })
})

describe('a peer that speaks 1.0', () => {
  test('writes and reads checkpoints without a digest', () => {
    const [old] = written(1)
    expect(outcomeOf([old], 1)).toBe('taken')
    expect(old.length).toBe(full.length - 8)
  })

  test('is no way around the digest: the version is agreed on when the session begins', () => {
    expect(outcomeOf([written(1)[0]], 2)).toBe('refused')
    expect(outcomeOf([full], 1)).toBe('refused')
  })
})
