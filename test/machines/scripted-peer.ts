// The other end of a scenario's channels: Xen's records as the peer would write them, and the names of those
// that the side under test writes.

import { readU32 } from '../../formats/bytes/byte-order.ts'
import {
  digestEmulatorContext,
  encodeEmulatorContext,
  putDigest,
} from '../../shared/protocol/emulator-blob.ts'
import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { LIBXL } from '../../formats/xen/libxl-records.ts'
import {
  bodyOf,
  PAGE_DATA_HEADER_BYTES,
  PAGE_TYPE,
  PFN_WORD_BYTES,
  pfnOf,
  RECORD_HEADER_BYTES,
} from '../../formats/xen/page-data.ts'
import { encodeRecord, fixedRecords } from '../../formats/xen/record-encoder.ts'
import { StreamReader } from '../../formats/xen/stream-reader.ts'
import { PAGE_BYTES } from '../../shared/guest.ts'
import { CheckpointDigest } from '../../shared/memory/checkpoint-digest.ts'
import { PlainPageMix } from '../../shared/memory/page-mix.ts'
import type { DataChannelHandlers } from '../../shared/ports.ts'
import { dirtyPfnList, hvmParams, join, opening, pageData, tscInfo } from '../formats/streams.ts'

export interface PeerCheckpoint {
  readonly isFirst: boolean
  readonly generation: number
  readonly epoch: number
  readonly pfns: readonly number[]
  readonly cpu: string
}

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))

/** A checkpoint in two halves: all but its end, and the end that makes it whole. */
export function checkpointHalves(of: PeerCheckpoint): readonly [Uint8Array, Uint8Array] {
  const { isFirst, generation, epoch, pfns, cpu } = of
  const { STATIC_DATA_END, CHECKPOINT, CHECKPOINT_END } = fixedRecords
  const pages = pfns.length > 0 ? [pageData(pfns.map((pfn) => [pfn, PAGE_TYPE.NOTAB]))] : []
  const context = encodeRecord(LIBXC.HVM_CONTEXT, { blob: latin1(cpu) })
  const states = [tscInfo, ...(cpu === 'none' ? [] : [context]), hvmParams]
  const first = [...(isFirst ? [...opening(), STATIC_DATA_END] : []), ...pages, ...states]
  const device = latin1(`device ${epoch}`)
  const end = encodeEmulatorContext({ generation, epoch, digest: { low: 0, high: 0 }, device })
  putDigest(end, digestOf(pages, pfns, [...states, end]))
  return [join([...first, CHECKPOINT]), join([end, CHECKPOINT_END])]
}

/** Of a checkpoint with at most one PAGE_DATA; the last record is its EMULATOR_CONTEXT. */
function digestOf(
  [pages = new Uint8Array(0)]: readonly Uint8Array[],
  pfns: readonly number[],
  records: readonly Uint8Array[],
) {
  const digest = new CheckpointDigest(new PlainPageMix(pages.buffer))
  const at = RECORD_HEADER_BYTES + PAGE_DATA_HEADER_BYTES + pfns.length * PFN_WORD_BYTES
  pfns.forEach((pfn, i) => digest.pages(pfn, 1, at + i * PAGE_BYTES))
  for (const record of records.slice(0, -1)) {
    digest.record(readU32(record, 0), bodyOf(record))
  }
  digestEmulatorContext(digest, bodyOf(records.at(-1)!))
  return digest.end()
}

export function backRecord(word: string, pfns: readonly number[]): Uint8Array {
  if (word === 'svm-ready') return fixedRecords.SVM_READY
  if (word === 'svm-resumed') return fixedRecords.SVM_RESUMED
  return join([fixedRecords.SVM_SUSPENDED, dirtyPfnList(pfns)])
}

/** As a socket would: into the buffer that the side gives, as much as fits, again and again. */
export function deliver(bytes: Uint8Array, to: () => DataChannelHandlers | undefined): void {
  for (let at = 0; at < bytes.length;) {
    const handlers = to()
    if (handlers === undefined) return
    const room = handlers.buffer()
    if (room.length === 0) throw new Error('a buffer without room')
    const count = Math.min(room.length, bytes.length - at)
    room.set(bytes.subarray(at, at + count))
    handlers.received(count)
    at += count
  }
}

function pagesName(words: Uint8Array, count: number): string {
  const pfns = Array.from({ length: count }, (_, index) => pfnOf(words, index))
  return count > 8 ? `PAGE_DATA(${count} pages from ${pfns[0]})` : `PAGE_DATA(${pfns.join(',')})`
}

const CONTROL_NAMES = ['NEW', 'SVM_SUSPENDED', 'SVM_READY', 'SVM_RESUMED']

/** Names the records of what a side writes; each call is one write of the side. */
export function recordNamer(form: 'libxl' | 'back'): (chunks: readonly Uint8Array[]) => string {
  let names: string[] = []
  const reader = new StreamReader(
    {
      record: ({ spec, body }) => {
        names.push(spec === LIBXL.CHECKPOINT_STATE ? CONTROL_NAMES[body[0]] : spec.name)
      },
      pageData: (_record, count, words) => {
        names.push(pagesName(words, count))
      },
      pageBytes: () => {},
    },
    { form, checkpointed: 'colo' },
  )
  return (chunks) => {
    names = []
    const bytes = join(chunks)
    reader.push(bytes, 0, bytes.length)
    return names.join(' ')
  }
}
