// Every stream of the corpus against the verdict that its README gives: the specification decides,
// and where it is silent Xen's C reader does. The reader refuses a big-endian stream, as C does; the
// verifier, which nobody waits for, reads it.

import { describe, expect, it } from 'vitest'
import type { StreamError } from '../../formats/xen/stream-error.ts'
import { corpusBytes, corpusFiles } from './corpus.ts'
import type { CorpusFile } from './corpus.ts'
import { readAll } from './read-all.ts'
import { verifyAll } from './verify-all.ts'

const files = corpusFiles()
const cases = files.map((file) => ({ ...file, outcome: outcomeOf(file) }))

/** What the reader is to make of it. */
function outcomeOf({ isBack, spec, reader }: CorpusFile): string {
  if (isBack) return spec === 'valid' ? 'failover' : 'refused'
  if (spec.includes('BE')) return 'unsupported'
  if (spec === 'silent') return reader.startsWith('accept') ? 'complete' : 'refused'
  if (spec !== 'valid' && spec !== 'sender-invalid') return 'refused'
  return reader.startsWith('failover') || reader.includes('FAILOVER') ? 'failover' : 'complete'
}

/** What the verifier is to make of it. */
function judgementOf({ spec, reader }: CorpusFile): string {
  if (spec === 'silent') return reader.startsWith('accept') ? 'valid' : 'invalid'
  return spec.startsWith('valid') ? 'valid' : spec
}

/** A refusal for being unsupported counts as nothing else, unless a refusal of any kind is due. */
function refusalOf({ code }: StreamError, due: string): string {
  return code === 'unsupported' && due !== 'refused' ? 'unsupported' : 'refused'
}

describe('the corpus of Xen streams', () => {
  it.skipIf(files.length === 0)(
    'is here (../shared/corpus: without it only our own streams are read)',
    () => {
      expect(files.length).toBeGreaterThan(100)
    },
  )

  it.each(cases)('$file is $outcome to the reader', (file) => {
    const form = file.isBack ? 'back' : file.format
    const reading = readAll([corpusBytes(file)], { form })
    const { error } = reading
    const verdict = error === undefined ? reading.outcome : refusalOf(error, file.outcome)
    expect(verdict).toBe(file.outcome)
  })

  it.each(cases)('$file is $spec to the verifier, in any pieces', (file) => {
    const form = file.isBack ? 'back' : file.format
    const bytes = corpusBytes(file)
    const { verdict, findings, heard } = verifyAll([bytes], { form })
    expect({ findings, judgement: verdict.judgement }).toEqual({
      findings,
      judgement: judgementOf(file),
    })
    for (const finding of findings) expect(finding.offset).toBeLessThanOrEqual(bytes.length)
    for (const size of [1, 7, 64]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      expect(verifyAll(pieces, { form })).toMatchObject({ verdict, findings, heard })
    }
  })

  it.each(cases)('$file is found to be what it is', (file) => {
    const { verdict, verifier } = verifyAll([corpusBytes(file)])
    if (verdict.bytes < 8 || file.file === 'xc-libxl-in.bin') return
    expect(verifier.form).toBe(file.isBack ? 'back' : file.format)
    expect(verdict.judgement).toBe(judgementOf(file))
  })
})
