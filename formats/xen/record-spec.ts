// What a row of the record tables says. The reader, the encoder and the order of the stream know no
// record by itself: they walk these rows, so that a new record is a new row.

import type { HeadFields, Layout } from './body-layout.ts'
import type { StreamErrorCode } from './stream-error.ts'

export type Layer = 'libxl' | 'libxc'
export type Guest = 'pv' | 'hvm'

/** Types with this bit are optional: a receiver that does not know one skips it. */
export const OPTIONAL_BIT = 0x80000000

/**
 * The places a stream can be in: what comes next. `libxl` is ahead of the libxc image, `libxl tail`
 * behind it, `checkpoint` between libxc's CHECKPOINT and CHECKPOINT_END, `control` where COLO's NEW
 * is due. The `svm` places are those of the back channel.
 */
export type Place =
  | 'xl header'
  | 'libxl header'
  | 'libxl'
  | 'image header'
  | 'domain header'
  | 'libxc'
  | 'libxl tail'
  | 'checkpoint'
  | 'control'
  | 'svm ready'
  | 'svm resumed'
  | 'svm suspended'
  | 'svm dirty pfns'
  | 'ended'

export type Leads = { readonly [From in Place]?: Place }

/**
 * body_length must be min <= length <= max, and a whole number of steps above min. Padding not
 * counted.
 */
export interface LengthRule {
  readonly min: number
  readonly max: number
  readonly step: number
}

export function exactly(length: number): LengthRule {
  return { min: length, max: length, step: 1 }
}

export function atLeast(min: number, step = 1): LengthRule {
  return { min, max: Infinity, step }
}

export function lengthAllowed(rule: LengthRule, length: number): boolean {
  return length >= rule.min && length <= rule.max && (length - rule.min) % rule.step === 0
}

export function lengthRuleText({ min, max, step }: LengthRule): string {
  if (min === max) return `body_length must be ${min}`
  return `body_length must be at least ${min}${step > 1 ? ` and then in steps of ${step}` : ''}`
}

/** What the stream has said so far that later records are judged by. */
export interface StreamFacts {
  guest: Guest | undefined
  imageVersion: number
  /** Bytes in a word of a PV guest (X86_PV_INFO); 0 when that is not known. */
  guestWidth: number
  /** The highest pfn that PAGE_DATA may carry: unbounded for HVM, from X86_PV_P2M_FRAMES for PV. */
  pfnHighest: number
  /** The one control_id that is legal now, if only one is. */
  controlDue: number | undefined
}

/** A field that breaks a rule; the code is 'bad-value' unless said otherwise. */
export interface Flaw {
  readonly field: string
  readonly rule: string
  readonly code?: StreamErrorCode
}

/** What every element of a list must be like; it is judged as it lies, `at` its first byte. */
export interface ItemRule {
  readonly rule: string
  holds(bytes: Uint8Array, at: number): boolean
}

/** Judges a payload that comes in pieces, and so takes the same memory whatever its length. */
export interface PayloadScan {
  /** The next bytes of it: [from, to) of `bytes`. */
  push(bytes: Uint8Array, from: number, to: number): void
  /** The first rule that was broken, if any, with the payload's byte that it begins at. */
  finish(): { readonly at: number; readonly rule: string } | undefined
}

export interface RecordSpec<L extends Layout = Layout> {
  readonly name: string
  readonly layer: Layer
  readonly type: number
  readonly layout: L
  readonly length: LengthRule
  /**
   * The section of shared/spec/xen-streams.md, and of Xen's libxl- and libxc-migration-stream
   * specs.
   */
  readonly section: string
  /** The places where it is legal, each with the place it leads to. */
  readonly leads: Leads
  /** More such places, in the flat form: each checkpoint its own LIBXC_CONTEXT .. END. */
  readonly flat?: Leads
  /** Legal only in a stream of such a guest. */
  readonly guest?: Guest
  /** The lowest version of the libxc image that may carry it. */
  readonly imageVersion?: number
  /** At most once in an image. */
  readonly once?: true
  /**
   * Records that must have come before in this image, unless they are not of its guest or its
   * version.
   */
  readonly needs?: readonly RecordSpec[]
  /** Legal only where no checkpoints are made. */
  readonly plainOnly?: true
  /** The body is bounded by `pfnsMax`, not by `blobBytesMax`. */
  readonly pfns?: true
  /** Why a record that is known is refused all the same. */
  readonly refused?: string
  /** Rules on values that the layout cannot say; of a list or payload only the length is known. */
  check?(fields: HeadFields<L>, facts: StreamFacts): Flaw | undefined
  /** The rule of every element of the list that ends the body. */
  readonly item?: ItemRule
  /** The rules of the payload that ends the body. */
  scan?(): PayloadScan
  /** What later records are judged by. */
  note?(fields: HeadFields<L>, facts: StreamFacts): void
  /** Makes of the facts of `note` that nothing is known, for a record that is flawed or missing. */
  forget?(facts: StreamFacts): void
}

export type RecordRules<L extends Layout> = Omit<
  RecordSpec<L>,
  'name' | 'layer' | 'type' | 'layout' | 'length' | 'section' | 'leads'
> & { readonly leads?: Leads }
