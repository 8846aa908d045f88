// What a side answers to an operator's verb.

import type { ErrorCode } from '../shared/protocol/errors.ts'

interface VerbRefusal {
  readonly ok: false
  readonly code: ErrorCode
  readonly detail: string
}

export type VerbResult = { readonly ok: true; readonly detail?: string } | VerbRefusal

export const done = (detail?: string): VerbResult => ({ ok: true, detail })
export const refuse = (code: ErrorCode, detail: string): VerbResult => ({ ok: false, code, detail })
