// What a verifier is given, and what it hands over: the headers and records as they go by, and what
// is wrong with them.

import type { Layer, RecordSpec } from '../record-spec.ts'
import type { StreamHeader } from '../stream-headers.ts'
import type { ForwardFacts } from './back-rounds.ts'
import type { Finding } from './finding.ts'
import type { FormName } from './stream-form.ts'

export interface VerifiedRecord {
  /** Undefined for a type that is not known. */
  readonly spec: RecordSpec | undefined
  readonly name: string
  readonly layer: Layer
  readonly type: number
  readonly offset: number
  /** Counts the records of both layers from 0. */
  readonly index: number
  /** Of the body, without padding. */
  readonly length: number
  /** The fixed fields; of a list or payload the length. Empty when the body was not understood. */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface VerifierSink {
  finding(finding: Finding): void
  header?(header: StreamHeader, offset: number): void
  /** A whole record other than PAGE_DATA, sound or not. */
  record?(record: VerifiedRecord): void
  /** A whole PAGE_DATA of `count` pfns, sound or not: a stream may consist of nothing else. */
  pageData?(offset: number, length: number, count: number): void
}

export interface VerifierOptions {
  readonly form?: FormName | 'auto'
  /** For a back channel: what the forward stream of its session says. */
  readonly forward?: ForwardFacts
  /** For `forwardFacts`: looking at every pfn costs as much again as all else. */
  readonly tracksPfns?: boolean
}
