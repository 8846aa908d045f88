// Sound streams, damaged at random, before the verifier: it never throws and never hangs, it says the
// same however the bytes are cut, and its first error is the one that the reader stops at.

import { describe, expect, it } from 'vitest'
import { encodeXlHeader } from '../../formats/xen/stream-headers.ts'
import type { StreamForm } from '../../formats/xen/stream-order.ts'
import { findingCodes } from '../../formats/xen/verify/finding.ts'
import { mutate, randomFrom } from './mutate.ts'
import { checkAgreement, checkVerifier } from './stream-checks.ts'
import * as streams from './streams.ts'

const RUNS_DEFAULT = 10_000
/** How many streams are damaged; a long run sets COLO_MUTANTS. */
const RUNS = Number(process.env['COLO_MUTANTS'] ?? RUNS_DEFAULT)

const sources: readonly (readonly [StreamForm, readonly Uint8Array[]])[] = [
  ['libxl', streams.plainStream()],
  ['libxl', streams.checkpointedStream('colo', 2)],
  ['libxl', streams.checkpointedStream('remus', 2)],
  ['libxl', streams.pvStream()],
  ['libxc', streams.plainStream().slice(2, -3)],
  ['xl', [encodeXlHeader(), ...streams.plainStream()]],
  ['back', streams.backStream(3)],
]

describe('the verifier', () => {
  it(`agrees with the reader on ${RUNS} damaged streams`, { timeout: 600_000 }, () => {
    const codes = new Map<string, number>()
    for (let run = 0; run < RUNS; run++) {
      const random = randomFrom(run)
      const [form, parts] = sources[run % sources.length]
      const bytes = mutate(parts, random)
      const verified = checkVerifier(bytes, { form }, 1 + random(900))
      for (const { code } of verified.findings) codes.set(code, (codes.get(code) ?? 0) + 1)
      checkAgreement(bytes, form, verified)
    }
    if (RUNS < RUNS_DEFAULT) return
    // Else the damage was too tame. Only two channels can be out of step, and no damage makes a line of text.
    const rare = ['out-of-step', 'banner']
    const due = Object.keys(findingCodes).filter((code) => !rare.includes(code))
    expect([...codes.keys()].toSorted()).toEqual(due.toSorted())
  })
})
