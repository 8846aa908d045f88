// What the secondary says: bare CHECKPOINT_STATE and CHECKPOINT_DIRTY_PFN_LIST records without a header, whose
// order the stream reader enforces. Bytes that make no sense, and pages that the guest does not have, end the
// session.

import { readU32 } from '../formats/bytes/byte-order.ts'
import { CONTROL_ID, LIBXL } from '../formats/xen/libxl-records.ts'
import { pfnOf } from '../formats/xen/page-data.ts'
import { StreamError } from '../formats/xen/stream-error.ts'
import { StreamReader } from '../formats/xen/stream-reader.ts'
import type { ReadRecord } from '../formats/xen/stream-sink.ts'
import type { Session } from '../shared/role/session.ts'
import type { DataChannelHandlers } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

const BUFFER_BYTES = 64 * 1024

export interface BackChannelEvents {
  /** checkpoint-reply, with the pages that the SVM has touched. */
  replied(alsoPfns: Uint32Array): void
  /** vmstate-received. */
  received(): void
  /** vmstate-loaded. */
  loaded(): void
  /** The forward channel has taken its oldest write. */
  taken(): void
}

/** What the data channel of `session` calls; `pageCount` is the guest's RAM in pages. */
export function openBackChannel(
  session: Session,
  pageCount: number,
  events: BackChannelEvents,
): DataChannelHandlers {
  const buffer = new Uint8Array(BUFFER_BYTES)
  const sink = {
    record: (record: ReadRecord) => {
      if (!session.over) hear(session, pageCount, events, record)
    },
    pageData() {},
    pageBytes() {},
  }
  const limits = { recordBytesMax: LIMITS.recordBytesMax, pfnsMax: LIMITS.dirtyPfnsMax }
  const reader = new StreamReader(sink, { form: 'back', limits })
  return {
    buffer: () => buffer,
    received: (count) => {
      if (session.over) return
      try {
        reader.push(buffer, 0, count)
      } catch (error) {
        if (!(error instanceof StreamError)) throw error
        session.end('bad-stream', error.message)
      }
    },
    taken: () => {
      if (!session.over) events.taken()
    },
    closed: () => session.closed('the data channel was closed'),
  }
}

function hear(
  session: Session,
  pageCount: number,
  events: BackChannelEvents,
  record: ReadRecord,
): void {
  if (record.type === LIBXL.CHECKPOINT_STATE.type) {
    const id = readU32(record.body, 0)
    if (id === CONTROL_ID.SVM_READY) events.received()
    if (id === CONTROL_ID.SVM_RESUMED) events.loaded()
    return
  }
  const pfns = new Uint32Array(record.length / 8)
  for (let i = 0; i < pfns.length; i++) {
    const pfn = pfnOf(record.body, i)
    if (pfn >= pageCount) {
      return session.end('bad-stream', `pfn ${pfn} of the dirty list is beyond the guest's RAM`)
    }
    pfns[i] = pfn
  }
  events.replied(pfns)
}
