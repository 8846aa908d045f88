// Records as bytes: any record from its row and its fields, and the ones without content made once,
// since a checkpoint sends them again and again. PAGE_DATA's own writers, without allocation, are
// in page-data.ts.

import { bodyLength, encodeBody } from './body-layout.ts'
import type { EncodedFields, Layout } from './body-layout.ts'
import { viewOf } from '../bytes/byte-order.ts'
import { LIBXC } from './libxc-records.ts'
import { CONTROL_ID, LIBXL } from './libxl-records.ts'
import { RECORD_HEADER_BYTES, recordBytes, writeRecordHeader } from './page-data.ts'
import { lengthAllowed, lengthRuleText } from './record-spec.ts'
import type { RecordSpec } from './record-spec.ts'

/**
 * A whole record: header, body, zero padding to 8 bytes. Throws a RangeError when the fields make a
 * length that the record's own rule forbids; values are the caller's to get right.
 */
export function encodeRecord<L extends Layout>(
  spec: RecordSpec<L>,
  fields: EncodedFields<L>,
): Uint8Array {
  const length = bodyLength(spec.layout, fields)
  if (!lengthAllowed(spec.length, length) || length > 0xffff_ffff) {
    throw new RangeError(`${spec.name}: ${lengthRuleText(spec.length)}, not ${length}`)
  }
  const bytes = new Uint8Array(recordBytes(length))
  const body = writeRecordHeader(viewOf(bytes), 0, spec.type, length)
  encodeBody(spec.layout, fields, bytes, body)
  return bytes
}

/** A record around a body that is encoded already. */
export function encodeRawRecord(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(recordBytes(body.length))
  writeRecordHeader(viewOf(bytes), 0, type, body.length)
  bytes.set(body, RECORD_HEADER_BYTES)
  return bytes
}

/** Records that belong together as the bytes of one write: a small write costs as much as a large one. */
export function inOne(records: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const record of records) length += record.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const record of records) {
    bytes.set(record, at)
    at += record.length
  }
  return bytes
}

function checkpointState(controlId: number): Uint8Array {
  return encodeRecord(LIBXL.CHECKPOINT_STATE, { controlId })
}

/** Records that are always the same bytes. Not to be written to. */
export const fixedRecords = {
  LIBXL_END: encodeRecord(LIBXL.END, {}),
  LIBXC_CONTEXT: encodeRecord(LIBXL.LIBXC_CONTEXT, {}),
  CHECKPOINT_END: encodeRecord(LIBXL.CHECKPOINT_END, {}),
  NEW: checkpointState(CONTROL_ID.NEW),
  SVM_SUSPENDED: checkpointState(CONTROL_ID.SVM_SUSPENDED),
  SVM_READY: checkpointState(CONTROL_ID.SVM_READY),
  SVM_RESUMED: checkpointState(CONTROL_ID.SVM_RESUMED),
  LIBXC_END: encodeRecord(LIBXC.END, {}),
  CHECKPOINT: encodeRecord(LIBXC.CHECKPOINT, {}),
  STATIC_DATA_END: encodeRecord(LIBXC.STATIC_DATA_END, {}),
} as const
