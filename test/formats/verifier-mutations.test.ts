// Sound streams, damaged at random, before the verifier: it never throws and never hangs, it says the
// same however the bytes are cut, and its first error is the one that the reader stops at.

import { describe, expect, it } from 'vitest'
import { StreamError } from '../../shared/formats/stream-error.ts'
import { encodeXlHeader } from '../../shared/formats/stream-headers.ts'
import type { StreamForm } from '../../shared/formats/stream-order.ts'
import { StreamReader } from '../../shared/formats/stream-reader.ts'
import { findingCodes } from '../../shared/formats/verify/finding.ts'
import { mutate, randomFrom } from './mutate.ts'
import * as streams from './streams.ts'
import { verifyAll } from './verify-all.ts'

const RUNS_DEFAULT = 10_000
/** How many streams are damaged; a long run sets COLO_MUTANTS. */
const RUNS = Number(process.env['COLO_MUTANTS'] ?? RUNS_DEFAULT)
/** The verifier holds nothing, and so has no limits of its own. */
const limits = { recordBytesMax: 2 ** 32, pfnsMax: 2 ** 32, blobBytesMax: 2 ** 32 }
const ignore = { record: () => {}, pageData: () => {}, pageBytes: () => {} }

const sources: readonly (readonly [StreamForm, readonly Uint8Array[]])[] = [
  ['libxl', streams.plainStream()],
  ['libxl', streams.checkpointedStream('colo', 2)],
  ['libxl', streams.checkpointedStream('remus', 2)],
  ['libxl', streams.pvStream()],
  ['libxc', streams.plainStream().slice(2, -3)],
  ['xl', [encodeXlHeader(), ...streams.plainStream()]],
  ['back', streams.backStream(3)],
]

/** What the reader ends with: an outcome, or the code and offset of its error. */
function readingOf(bytes: Uint8Array, form: StreamForm): string {
  const reader = new StreamReader(ignore, { form, limits })
  try {
    reader.push(bytes)
    return reader.finish()
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    return `${error.code} ${error.offset}`
  }
}

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('the verifier', () => {
  it(`agrees with the reader on ${RUNS} damaged streams`, { timeout: 600_000 }, () => {
    const codes = new Map<string, number>()
    for (let run = 0; run < RUNS; run++) {
      const random = randomFrom(run)
      const [form, parts] = sources[run % sources.length]
      const bytes = mutate(parts, random)
      const { verdict, findings, heard } = verifyAll([bytes], { form })
      const again = verifyAll(piecesOf(bytes, 1 + random(900)), { form })
      expect(again).toMatchObject({ verdict, findings, heard })

      for (const { code, offset, rule } of findings) {
        if (!(code in findingCodes) || offset > bytes.length || rule === '') throw new Error(code)
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
      const first = findings.find(({ severity }) => severity === 'error')
      const said = first === undefined ? verdict.ending : `${first.code} ${first.offset}`
      const reading = readingOf(bytes, form)
      // Legal, but not read by us: the verifier reads on. And libxc's longest record is 128 MiB.
      if (reading.startsWith('unsupported') && findings.some((one) => one.code === 'big-endian')) {
        continue
      }
      if (first?.code === 'too-long') continue
      // The reader judges a body when it is whole, the verifier as it comes.
      const isCut = reading.startsWith('truncated') || reading === 'failover'
      if (isCut && first?.recordIndex === verdict.records - 1) continue
      // The reader masks what is no pfn in a dirty list.
      if (first?.record === 'CHECKPOINT_DIRTY_PFN_LIST' && first.code === 'bad-value') continue
      // On the back channel it knows a record of either layer in any place.
      if (form === 'back' && reading === `unknown-record ${first?.offset}`) continue
      // Of one record the reader judges the types of all words ahead of their pfns.
      const ofRecord = findings.filter((one) => one.recordIndex === first?.recordIndex)
      if (ofRecord.some(({ code, offset }) => `${code} ${offset}` === reading)) continue
      if (said !== reading) throw new Error(`seed ${run}: ${said}, the reader: ${reading}`)
    }
    if (RUNS < RUNS_DEFAULT) return
    // Else the damage was too tame. Only two channels can be out of step, and no damage makes a line of text.
    const rare = ['out-of-step', 'banner']
    const due = Object.keys(findingCodes).filter((code) => !rare.includes(code))
    expect([...codes.keys()].toSorted()).toEqual(due.toSorted())
  })
})
