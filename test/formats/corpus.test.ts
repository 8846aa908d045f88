// Every stream of the corpus against the verdict that its README gives: the specification decides,
// and where it is silent Xen's C reader does. A big-endian stream is legal but refused here, as C
// does.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { StreamError } from '../../shared/formats/stream-error.ts'
import type { StreamForm } from '../../shared/formats/stream-order.ts'
import { readAll } from './read-all.ts'

const corpus = fileURLToPath(new URL('../../../shared/corpus/xen-streams', import.meta.url))

interface Verdict {
  readonly file: string
  readonly form: StreamForm
  readonly outcome: string
}

const forms: Readonly<Record<string, StreamForm>> = { libxl: 'libxl', libxc: 'libxc', xl: 'xl' }

function outcomeOf(spec: string, reader: string): string {
  if (spec.includes('BE')) return 'unsupported'
  if (spec === 'silent') return reader.startsWith('accept') ? 'complete' : 'refused'
  if (spec !== 'valid' && spec !== 'sender-invalid') return 'refused'
  return reader.startsWith('failover') || reader.includes('FAILOVER') ? 'failover' : 'complete'
}

function readVerdicts(): Verdict[] {
  if (!existsSync(corpus)) return []
  const [, ...lines] = readFileSync(`${corpus}/verdicts.tsv`, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [file = '', format = '', , , , spec = '', reader = ''] = line.split('\t')
    if (!file.startsWith('back-'))
      return { file, form: forms[format] ?? 'libxl', outcome: outcomeOf(spec, reader) }
    return { file, form: 'back', outcome: spec === 'valid' ? 'failover' : 'refused' }
  })
}

/** A refusal for being unsupported counts as nothing else, unless a refusal of any kind is due. */
function refusalOf({ code }: StreamError, due: string): string {
  return code === 'unsupported' && due !== 'refused' ? 'unsupported' : 'refused'
}

const verdicts = readVerdicts()

describe('the corpus of Xen streams', () => {
  it.skipIf(verdicts.length === 0)(
    'is here (../shared/corpus: without it only our own streams are read)',
    () => {
      expect(verdicts.length).toBeGreaterThan(100)
    },
  )

  it.each(verdicts)('$file is $outcome', ({ file, form, outcome }) => {
    const bytes = new Uint8Array(readFileSync(`${corpus}/${file}`))
    const reading = readAll([bytes], { form })
    const verdict =
      reading.error === undefined ? reading.outcome : refusalOf(reading.error, outcome)
    expect(verdict).toBe(outcome)
  })
})
