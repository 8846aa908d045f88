// Every stream of a real QEMU that lies beside the checkout, into BER and back, in both forms: the same bytes
// again, and nothing left as bytes that QEMU describes. The recorded COLO sessions go the same way, with all their
// checkpoints, and so do sessions that are cut off anywhere.

import { describe, expect, it } from 'vitest'
import { berToStream } from '../../formats/ber/ber-to-stream.ts'
import { streamToBer } from '../../formats/ber/stream-to-ber.ts'
import { sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import {
  CAPTURE_NAMES,
  captureBytes,
  captureText,
  CORPUS_MISSING,
  STREAM_NAMES,
  streamBytes,
} from '../qemu/corpus.ts'
import { dribbleOf, FORMS, KeptBytes, type Form } from './bytes.ts'

/** The one stream without a description: its machine type is older than descriptions are. */
const UNDESCRIBED = 'pc-i440fx-2.0'

/** Bytes of BER for a byte of the stream, at most. Runs of zero pages make most files smaller. */
const GROWTH_MAX = 1.03

/** Of each recorded session: whole checkpoints, bytes of devices in them, sections in them. */
const CHECKPOINTS: Readonly<Record<string, readonly [number, number, number]>> = {
  pc16_small: [30, 30 * 12_093, 30 * 32],
  pc16_zero: [12, 12 * 12_093, 12 * 32],
  q35_small: [1, 32_326, 32],
}

/** How often a session is cut off. */
const CUTS = 7

/** Where the messages of a session begin: that of its first checkpoint. */
function sessionOffset(name: string): number {
  const found = /^0x([0-9a-f]+) CHECKPOINT #1 /m.exec(captureText(name))
  return Number.parseInt(found?.[1] ?? '', 16)
}

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
      const { there, back, isSame } = thereAndBack(captureBytes(name), form)
      expect(isSame).toBe(true)
      const [count, deviceBytes, sections] = CHECKPOINTS[name] ?? []
      expect(there).toMatchObject({ blobBytes: 0, trailerBytes: 0, cutOff: undefined })
      expect(there.checkpoints).toMatchObject({ count, deviceBytes, sections, blobBytes: 0 })
      // Each checkpoint has the devices of the first migration.
      expect(deviceBytes).toBe((count ?? 0) * there.deviceBytes)
      expect(back.checkpoints).toMatchObject({ count, deviceBytes, sections, blobBytes: 0 })
    })

    it.each(CAPTURE_NAMES)('%s, cut off anywhere behind its first migration', (name) => {
      const bytes = captureBytes(name)
      const first = sessionOffset(name)
      const step = Math.ceil((bytes.length - first) / CUTS)
      for (let cut = first; cut < bytes.length; cut += step) {
        const { there, isSame } = thereAndBack(bytes.subarray(0, cut), form)
        expect([cut, isSame]).toEqual([cut, true])
        // Where nothing but whole things are there, nothing is left for the trailer.
        expect(there.trailerBytes > 0).toBe(there.cutOff !== undefined && cut > first)
      }
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
