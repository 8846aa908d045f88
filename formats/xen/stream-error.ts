// The one error that reading or writing a Xen stream can raise. Its code is stable and for
// programs, its rule is for people: it says what was broken and which section of Xen's
// specification says so.

/** Every code, with what it means. */
export const streamErrorCodes = {
  'bad-magic': 'the ident, marker or id of a header is not that of this kind of stream',
  'bad-version': 'a header names a version of the format that this reader does not know',
  'bad-header': 'a header field has a value that the specification reserves',
  unsupported: 'legal in the specification, but refused here: big-endian streams, TOOLSTACK',
  'unknown-record': 'a record type that is not known and that may not be skipped',
  'wrong-place': 'a known record where the order of the stream does not allow it',
  'bad-length': "the body_length breaks the record's own rule",
  'too-long': 'the length or a count exceeds a limit of this reader',
  'bad-value': 'a field of a record has a value that its rule forbids',
  'bad-page-type': 'a pfn word of PAGE_DATA carries a reserved page type',
  'trailing-bytes': 'there are bytes behind the END of the stream',
  truncated: 'the stream ends before it is complete, and before its first checkpoint is',
  closed: 'the reader has failed or finished before; it takes no more bytes',
} as const

export type StreamErrorCode = keyof typeof streamErrorCodes

/** Where an error was found. `offset` is in bytes from the start of the stream. */
export interface StreamPosition {
  readonly offset: number
  /** Counts the records of both layers from 0, skipped ones included; -1 in a header before any. */
  readonly recordIndex: number
  /** The record's or header's name; an unknown record's type in hexadecimal. */
  readonly record: string
}

export class StreamError extends Error {
  readonly code: StreamErrorCode
  readonly offset: number
  readonly recordIndex: number
  readonly record: string
  readonly rule: string

  constructor(code: StreamErrorCode, position: StreamPosition, rule: string) {
    const { offset, recordIndex, record } = position
    super(`${code} at byte ${offset}, record ${recordIndex} (${record}): ${rule}`)
    this.name = 'StreamError'
    this.code = code
    this.offset = offset
    this.recordIndex = recordIndex
    this.record = record
    this.rule = rule
  }
}
