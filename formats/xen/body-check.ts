// A body that is held whole, judged by all that its row says of values: the fields ahead of a list,
// every element of the list, the payload at the end.

import { decodeBody, headBytes, itemBytes, offsetOfField } from './body-layout.ts'
import type { RecordSpec, StreamFacts } from './record-spec.ts'
import type { StreamErrorCode } from './stream-error.ts'

/** `at` is the offending byte, from the start of the body. */
export interface BodyFlaw {
  readonly code: StreamErrorCode
  readonly at: number
  readonly rule: string
}

/** The first rule that a body breaks, if any; what later records are judged by is noted if none. */
export function judgeBody(
  spec: RecordSpec,
  body: Uint8Array,
  facts: StreamFacts,
): BodyFlaw | undefined {
  if (spec.check !== undefined || spec.note !== undefined) {
    const fields = decodeBody(spec.layout, body)
    const flaw = spec.check?.(fields, facts)
    if (flaw !== undefined) {
      const at = offsetOfField(spec.layout, flaw.field)
      return { code: flaw.code ?? 'bad-value', at, rule: flaw.rule }
    }
    spec.note?.(fields, facts)
  }
  return judgeTail(spec, body)
}

function judgeTail(spec: RecordSpec, body: Uint8Array): BodyFlaw | undefined {
  const { layout, item } = spec
  if (item === undefined && spec.scan === undefined) return undefined
  const head = headBytes(layout)
  if (item !== undefined) {
    const size = itemBytes(layout)
    for (let at = head; at < body.length; at += size) {
      if (!item.holds(body, at)) return { code: 'bad-value', at, rule: item.rule }
    }
  }
  const payload = spec.scan?.()
  if (payload === undefined) return undefined
  payload.push(body, head, body.length)
  const flaw = payload.finish()
  return flaw && { code: 'bad-value', at: head + flaw.at, rule: flaw.rule }
}
