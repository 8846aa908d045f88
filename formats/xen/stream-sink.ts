// What a stream reader is given and what it hands over: its limits, the records, and the sink they
// go to.

import { LIBXC } from './libxc-records.ts'
import { PFN_WORD_BYTES } from './page-data.ts'
import type { Layer, RecordSpec } from './record-spec.ts'
import type { StreamHeader } from './stream-headers.ts'
import type { Checkpointed, StreamForm } from './stream-order.ts'

export interface StreamLimits {
  /** The body_length of any record. Xen's reader takes 128 MiB as well. */
  readonly recordBytesMax: number
  /** The pfns of one PAGE_DATA or CHECKPOINT_DIRTY_PFN_LIST. */
  readonly pfnsMax: number
  /** The body_length of any other record that is read: these are held whole. */
  readonly blobBytesMax: number
}

export const defaultLimits: StreamLimits = {
  recordBytesMax: 128 * 1024 * 1024,
  pfnsMax: 16 * 1024 * 1024,
  blobBytesMax: 32 * 1024 * 1024,
}

/**
 * The limit that a body_length exceeds, if any. The pfns of a PAGE_DATA are judged by their count
 * instead, and a record without a row is not held, only skipped.
 */
export function exceededLimit(
  { recordBytesMax, pfnsMax, blobBytesMax }: StreamLimits,
  spec: RecordSpec | undefined,
  length: number,
): string | undefined {
  if (length > recordBytesMax) return `recordBytesMax, ${recordBytesMax}`
  if (spec === undefined || spec === LIBXC.PAGE_DATA) return undefined
  if (spec.pfns !== true) return length > blobBytesMax ? `blobBytesMax, ${blobBytesMax}` : undefined
  return length > pfnsMax * PFN_WORD_BYTES ? `pfnsMax, ${pfnsMax}` : undefined
}

export interface ReadRecord {
  readonly spec: RecordSpec
  readonly layer: Layer
  readonly type: number
  /** Of the record's header, in bytes from the start of the stream. */
  readonly offset: number
  /** Counts the records of both layers from 0, skipped ones included. */
  readonly index: number
  /** Of the body, without padding. */
  readonly length: number
  /** Valid only during the call that hands it over; empty for PAGE_DATA. */
  readonly body: Uint8Array
}

/** What a reader holds before its first record. */
export const firstRecord: ReadRecord = {
  spec: LIBXC.END,
  layer: 'libxc',
  type: LIBXC.END.type,
  offset: 0,
  index: -1,
  length: 0,
  body: new Uint8Array(0),
}

export interface StreamSink {
  header?(header: StreamHeader, offset: number): void
  /** A whole record other than PAGE_DATA, its padding included. */
  record(record: ReadRecord): void
  /**
   * A PAGE_DATA ahead of its pages: `count` little-endian u64 `words`, `dataPages` of which carry a
   * page.
   */
  pageData(record: ReadRecord, count: number, words: Uint8Array, dataPages: number): void
  /**
   * The next page bytes: [from, to) of the very array given to push(). A page may come in pieces.
   */
  pageBytes(chunk: Uint8Array, from: number, to: number): void
}

/**
 * 'failover': the peer was lost after its first whole checkpoint, which is how checkpointed streams
 * end.
 */
export type StreamOutcome = 'complete' | 'failover'

export interface StreamReaderOptions {
  readonly form: StreamForm
  readonly checkpointed?: Checkpointed
  readonly limits?: Partial<StreamLimits>
}
