// The body of a record of which only the head is held: reserved fields, the rules of its row, what
// is noted for later records, and then who judges its tail.

import { decodeHead, headBytes, itemBytes, offsetOfField } from '../body-layout.ts'
import { reservedFields, swapHead } from '../body-layout.ts'
import type { HeadFields, Layout } from '../body-layout.ts'
import { LIBXC } from '../libxc-records.ts'
import { PAGE_DATA_HEADER_BYTES, RECORD_HEADER_BYTES, pageDataBytes } from '../page-data.ts'
import type { RecordSpec, StreamFacts } from '../record-spec.ts'
import * as tails from './tail-judges.ts'
import type { Report, TailJudge } from './tail-judges.ts'

export interface BodyOptions {
  /** Told the highest pfn of every PAGE_DATA; undefined when nobody asks. */
  readonly seen: ((pfn: number) => void) | undefined
  /** The highest pfn that the guest has; Infinity when that is not known. */
  readonly dirtyHighest: number
}

export interface Body {
  /** The fixed fields, and of what follows the length. */
  readonly fields: HeadFields<Layout>
  /** Who judges what follows, if anybody does; the rest need not be looked at. */
  readonly tail: TailJudge | undefined
  readonly tailBytes: number
}

interface Head {
  readonly spec: RecordSpec
  readonly length: number
  readonly bigEndian: boolean
}

/** Judges the head of a body, which lies at `at`; its length is one that the row allows. */
export function judgeHead(
  head: Head,
  bytes: Uint8Array,
  at: number,
  facts: StreamFacts,
  report: Report,
  options: BodyOptions,
): Body {
  const { spec, length, bigEndian } = head
  const { layout } = spec
  if (bigEndian) {
    bytes = bytes.slice(at, at + headBytes(layout))
    at = 0
    swapHead(layout, bytes, 0)
  }
  for (const { name, at: offset, bytes: size } of reservedFields(layout)) {
    const field = bytes.subarray(at + offset, at + offset + size)
    if (field.every((one) => one === 0)) continue
    report('sender', 'reserved', RECORD_HEADER_BYTES + offset, `'${name}' must be zero`)
  }
  const fields = decodeHead(layout, bytes, at, length)
  if (spec === LIBXC.PAGE_DATA) {
    // Its row says so: the count is its first field.
    const count = Number(Object.values(fields)[0])
    return { fields, ...judgePages(head, count, facts, report, options) }
  }
  const flaw = spec.check?.(fields, facts)
  if (flaw === undefined) spec.note?.(fields, facts)
  else {
    spec.forget?.(facts)
    const offset = RECORD_HEADER_BYTES + offsetOfField(layout, flaw.field)
    const code = flaw.code === undefined || flaw.code === 'closed' ? 'bad-value' : flaw.code
    const value = new Map(Object.entries(fields)).get(flaw.field)
    const found = value === undefined || typeof value === 'object' ? '' : String(value)
    report('error', code, offset, flaw.rule, found)
  }
  const tail = tailOf(head, report, options)
  return { fields, tail, tailBytes: tail === undefined ? 0 : length - headBytes(layout) }
}

function tailOf(
  { spec, bigEndian }: Head,
  report: Report,
  { dirtyHighest }: BodyOptions,
): TailJudge | undefined {
  const from = RECORD_HEADER_BYTES + headBytes(spec.layout)
  if (spec === LIBXC.CHECKPOINT_DIRTY_PFN_LIST) {
    return tails.judgeDirtyWords(report, from, bigEndian, dirtyHighest)
  }
  if (spec.item !== undefined) {
    return tails.judgeItems(report, from, itemBytes(spec.layout), spec.item)
  }
  return spec.scan === undefined ? undefined : tails.judgePayload(report, from, spec.scan())
}

function judgePages(
  { length, bigEndian }: Head,
  count: number,
  facts: StreamFacts,
  report: Report,
  { seen }: BodyOptions,
): Pick<Body, 'tail' | 'tailBytes'> {
  if (count === 0 || pageDataBytes(count, 0) > length) {
    const rule = 'the count must be at least 1, with a pfn word for each'
    report('error', 'bad-value', RECORD_HEADER_BYTES, rule, String(count))
    return { tail: undefined, tailBytes: 0 }
  }
  const from = RECORD_HEADER_BYTES + PAGE_DATA_HEADER_BYTES
  const tail = tails.judgePageWords({ report, facts, from, count, length, bigEndian, seen })
  return { tail, tailBytes: pageDataBytes(count, 0) - PAGE_DATA_HEADER_BYTES }
}
