// Every stream of a real QEMU that lies beside the checkout, into BER and back, in both forms: the same bytes
// again, and nothing left as bytes that QEMU describes. The recorded COLO sessions go the same way: what follows
// their first migration is carried behind it.

import { describe, expect, it } from 'vitest'
import { berToStream } from '../../shared/formats/ber/ber-to-stream.ts'
import { streamToBer } from '../../shared/formats/ber/stream-to-ber.ts'
import { sourceOf } from '../../shared/formats/qemu/qemu-file.ts'
import {
  CAPTURE_NAMES,
  captureBytes,
  CORPUS_MISSING,
  STREAM_NAMES,
  streamBytes,
} from '../qemu/corpus.ts'
import { dribbleOf, FORMS, KeptBytes, type Form } from './bytes.ts'

/** The one stream without a description: its machine type is older than descriptions are. */
const UNDESCRIBED = 'pc-i440fx-2.0'

/** Bytes of BER for a byte of the stream, at most. Runs of zero pages make most files smaller. */
const GROWTH_MAX = 1.03

function thereAndBack(bytes: Uint8Array, form: Form) {
  const kept = new KeptBytes()
  const there = streamToBer(() => sourceOf(bytes), kept, { definite: form === 'definite' })
  const ber = kept.bytes
  const again = new KeptBytes()
  const back = berToStream(() => sourceOf(ber), again)
  return { there, back, ber, isSame: Buffer.compare(again.bytes, bytes) === 0 }
}

describe('the corpus', () => {
  it.skipIf(STREAM_NAMES.length === 0)(`is here (else ${CORPUS_MISSING})`, () => {
    expect(STREAM_NAMES.length).toBeGreaterThanOrEqual(18)
    expect(CAPTURE_NAMES.length).toBe(3)
  })

  describe.skipIf(STREAM_NAMES.length === 0).each(FORMS)('in the %s form', (form) => {
    it('is of more than one stream', () => {
      expect(STREAM_NAMES.length).toBeGreaterThan(1)
    })

    it.each(STREAM_NAMES)('%s comes back as it was', (name) => {
      const bytes = streamBytes(name)
      const { there, back, ber, isSame } = thereAndBack(bytes, form)
      expect(isSame).toBe(true)
      expect(ber.length).toBeLessThan(bytes.length * GROWTH_MAX)
      expect(back.deviceBytes).toBe(there.deviceBytes)
      expect(back.blobBytes).toBe(there.blobBytes)
      expect(there.trailerBytes).toBe(0)
      if (name === UNDESCRIBED) expect(there.blobBytes).toBe(there.deviceBytes)
      else {
        // slirp is written in the old style; whatever else QEMU describes is taken apart.
        expect(there.blobs.map(({ section }) => section)).toEqual(
          there.blobBytes === 0 ? [] : ['slirp (0)'],
        )
        expect(there.blobBytes).toBeLessThan(0.03 * there.deviceBytes)
      }
    })

    it.each(CAPTURE_NAMES)('the session %s comes back as it was', (name) => {
      const { there, isSame } = thereAndBack(captureBytes(name), form)
      expect(isSame).toBe(true)
      expect(there.trailerBytes).toBeGreaterThan(50_000)
      expect(there.blobBytes).toBe(0)
    })
  })

  it.skipIf(STREAM_NAMES.length === 0)('is the same BER however a pipe gives it', () => {
    const bytes = streamBytes('microblaze')
    const [whole, dribbled] = [sourceOf, dribbleOf].map((open) => {
      const kept = new KeptBytes()
      streamToBer(() => open(bytes), kept)
      return kept.bytes
    })
    expect(Buffer.compare(whole ?? bytes, dribbled ?? bytes)).toBe(0)
    const again = new KeptBytes()
    berToStream(() => dribbleOf(whole ?? bytes), again)
    expect(Buffer.compare(again.bytes, bytes)).toBe(0)
  })
})
