// What a verifier has to say of a stream: findings, each with its place, and the verdict that they
// add up to.

import { streamErrorCodes } from '../stream-error.ts'

/** How much a finding weighs. */
export const severities = {
  error: 'the stream breaks the specification, or a rule without which Xen cannot read it',
  sender: 'a sender must not write this; a receiver must ignore it',
  note: 'worth knowing, and no flaw of the stream',
} as const

export type Severity = keyof typeof severities

// A verifier is never closed: it goes on.
// oxlint-disable-next-line no-unused-vars
const { closed: _, ...errors } = streamErrorCodes

/** Every code that a finding can have, with what it means. */
export const findingCodes = {
  ...errors,
  reserved: 'a reserved field, bit or flag is not zero',
  padding: 'the padding behind a body is not zero',
  'big-endian': 'legal, but no reader on x86 takes it',
  'optional-record': "an unknown optional record: legal, but not everything of Xen's skips it",
  banner: 'the line that xl says ahead of a back channel: no flaw',
  'out-of-step': 'the back channel and the forward stream do not belong together',
} as const

export type FindingCode = keyof typeof findingCodes

export interface Finding {
  readonly severity: Severity
  readonly code: FindingCode
  /** In bytes from the start of the stream. */
  readonly offset: number
  /** Counts the records of both layers from 0; -1 in a header before any. */
  readonly recordIndex: number
  /** The record's or header's name; an unknown record's type in hexadecimal. */
  readonly record: string
  /** The rule that is broken: what was expected. */
  readonly rule: string
  /** What is there instead, when that can be said in a word. */
  readonly found: string
  /** The section of shared/spec/xen-streams.md that the rule is from. */
  readonly section: string
}

/** 'sender-invalid': the only flaws are such that a receiver must ignore. */
export type Judgement = 'valid' | 'sender-invalid' | 'invalid'

/**
 * How the bytes ended: 'complete' behind the last END, 'failover' anywhere behind a whole
 * checkpoint, 'truncated' anywhere else; 'lost' when what follows could not be judged.
 */
export type Ending = 'complete' | 'failover' | 'truncated' | 'lost'

export interface Verdict {
  readonly judgement: Judgement
  readonly ending: Ending
  readonly bytes: number
  readonly records: number
  /** Whole checkpoints; whole rounds on the back channel. */
  readonly checkpoints: number
  /** Bytes up to and with the last whole checkpoint. */
  readonly checkpointEndBytes: number
  readonly findings: Readonly<Record<Severity, number>>
}
