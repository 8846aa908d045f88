// Text ahead of a stream, as a pipe brings it: told once, with the byte at which the stream begins, which is then
// judged as if it stood alone. And what is no such text is judged as before.

import { describe, expect, it } from 'vitest'
import { LEAD_NAME, XL_BANNER } from '../../formats/xen/verify/stream-opening.ts'
import type { FormName } from '../../formats/xen/verify/stream-form.ts'
import * as streams from './streams.ts'
import { verifyAll } from './verify-all.ts'

const textBytes = (text: string) => new TextEncoder().encode(text)
const MOTD = '\u001b[1mLast login\u001b[0m: today\r\n'
const PLAIN = streams.join(streams.plainStream())
/** What a libxl stream has behind its own header and LIBXC_CONTEXT. */
const LIBXL_BYTES = 24

const STREAMS: readonly (readonly [FormName, Uint8Array])[] = [
  ['libxl', PLAIN],
  ['libxc', streams.join(streams.plainStream().slice(2, 12))],
  ['colo', streams.join(streams.checkpointedStream('colo', 2))],
  ['remus', streams.join(streams.checkpointedStream('remus', 2))],
  ['back', streams.join(streams.backStream(2))],
]

/** One piece, and pieces of some bytes each. */
function ways(bytes: Uint8Array): Uint8Array[][] {
  return [1, 5, bytes.length].map((size) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, at * size + size),
    ),
  )
}

describe('text ahead of a stream', () => {
  it.each(STREAMS)('is told of %s, which is judged behind it', (form, bytes) => {
    const lead = textBytes(MOTD)
    for (const said of [form, 'auto'] as const) {
      const alone = verifyAll([bytes], { form: said })
      for (const chunks of ways(streams.join([lead, bytes]))) {
        const { findings, verdict } = verifyAll(chunks, { form: said })
        const [first, ...others] = findings
        expect(first).toMatchObject({
          severity: 'error',
          code: 'bad-magic',
          record: LEAD_NAME,
          offset: 0,
          found: `${lead.length} bytes of text; the stream begins at byte ${lead.length}`,
        })
        expect(others.map(({ offset }) => offset - lead.length)).toEqual(
          alone.findings.map(({ offset }) => offset),
        )
        expect(verdict).toMatchObject({
          ending: alone.verdict.ending,
          records: alone.verdict.records,
          checkpoints: alone.verdict.checkpoints,
          bytes: alone.verdict.bytes + lead.length,
        })
      }
    }
  })

  it("is no flaw of a back channel if it is xl's", () => {
    const back = streams.join(streams.backStream(2))
    const bytes = streams.join([textBytes(XL_BANNER), back])
    for (const form of ['auto', 'back'] as const) {
      const { findings, verdict, verifier } = verifyAll([bytes], { form })
      expect(findings).toMatchObject([{ severity: 'note', code: 'banner', offset: 0 }])
      expect(verdict).toMatchObject({ judgement: 'valid', checkpoints: 3, bytes: bytes.length })
      expect(verifier.form).toBe('back')
    }
    const { findings } = verifyAll([textBytes(MOTD + XL_BANNER), back])
    expect(findings).toMatchObject([{ severity: 'error', code: 'bad-magic' }])
  })

  it('is not looked through for a stream of another kind than is said', () => {
    const { findings } = verifyAll([textBytes(MOTD), PLAIN], { form: 'xl' })
    expect(findings).toMatchObject([{ code: 'bad-magic', offset: 0 }])
  })

  it('may be all there is', () => {
    const { findings, verdict } = verifyAll([textBytes(XL_BANNER)])
    expect(findings.map(({ code }) => code)).toEqual(['banner', 'truncated'])
    expect(verdict).toMatchObject({ ending: 'truncated', bytes: XL_BANNER.length })
    const text = textBytes('no stream of anything\n')
    expect(verifyAll([text]).findings).toMatchObject([{ code: 'bad-magic', offset: 0 }])
  })

  it('consists of lines', () => {
    const { findings } = verifyAll([textBytes('?'), PLAIN])
    expect(findings).toMatchObject([{ code: 'bad-magic', record: 'libxl header' }])
  })

  it('ends at 4096 bytes, and at a byte that is in no text', () => {
    const far = verifyAll([textBytes('x'.repeat(4096)), PLAIN])
    expect(far.findings).toMatchObject([{ code: 'bad-magic', offset: 0 }])
    const inside = PLAIN.with(0, 0x4d)
    const { findings } = verifyAll([inside])
    expect(findings).toMatchObject([{ code: 'bad-magic', offset: 0, record: 'libxl header' }])
    expect(PLAIN[LIBXL_BYTES]).toBe(0xff)
  })
})

it('counts the bytes that were judged, however many are pushed behind them', () => {
  const lost = PLAIN.with(7, 0x75)
  const trailing = streams.join([PLAIN, textBytes('more')])
  for (const [bytes, judged] of [
    [lost, 16],
    [trailing, PLAIN.length],
  ] as const) {
    for (const chunks of ways(bytes)) expect(verifyAll(chunks).verdict.bytes).toBe(judged)
  }
})
