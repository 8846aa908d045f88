// What we write, before a judge who has only our module: a decoder that Debian's asn1c makes from it. It takes
// both forms, refuses what is damaged, and its DER of the indefinite form is our definite form, octet by octet.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BerError } from '../../formats/ber/ber-error.ts'
import { berToStream } from '../../formats/ber/ber-to-stream.ts'
import { streamToBer } from '../../formats/ber/stream-to-ber.ts'
import { sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { CAPTURE_NAMES, captureBytes, STREAM_NAMES, streamBytes } from '../qemu/corpus.ts'
import { berOf, FORMS, hex, KeptBytes } from './bytes.ts'
import { damaged, Dice } from './damages.ts'
import { MADE_KINDS, madeStream } from './made-stream.ts'
import { writeSample } from './sample-file.ts'
import { asn1cDecoder } from './asn1c-decoder.ts'

const DAMAGED_ROUNDS = 80

const decoder = asn1cDecoder()
const folder = mkdtempSync(join(tmpdir(), 'colo-asn1c-'))
afterAll(() => rmSync(folder, { recursive: true }))

const decode = (bytes: Uint8Array) => {
  const file = join(folder, 'file.ber')
  writeFileSync(file, bytes)
  return decoder!.decode(file)
}

const der = (bytes: Uint8Array) => {
  const file = join(folder, 'file.ber')
  writeFileSync(file, bytes)
  return decoder!.der(file)
}

/** Whether we take a file. */
function isTaken(bytes: Uint8Array): boolean {
  try {
    berToStream(() => sourceOf(bytes), { write: () => {} })
    return true
  } catch (error) {
    if (error instanceof BerError || error instanceof QemuStreamError) return false
    throw error
  }
}

/** `bytes` with the first occurrence of `from` replaced. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = hex(bytes)
  expect(text).toContain(from)
  return new Uint8Array(Buffer.from(text.replace(from, to), 'hex'))
}

describe.skipIf(decoder === undefined)(
  'a decoder made from our module (by asn1c, make and cc)',
  () => {
    const indefinite = berOf('indefinite', writeSample)
    const definite = berOf('definite', writeSample)

    it.each(FORMS)('accepts the %s form', (form) => {
      expect(decode(form === 'definite' ? definite : indefinite)).toEqual({
        isAccepted: true,
        message: expect.not.stringContaining('fail'),
      })
    })

    it('makes our definite form of our indefinite form', () => {
      expect(hex(der(indefinite))).toBe(hex(definite))
      expect(hex(der(definite))).toBe(hex(definite))
    })

    it.each([
      ...MADE_KINDS.map((kind) => [`a stream, ${kind},`, () => madeStream(kind)] as const),
      ...STREAM_NAMES.map((name) => [name, () => streamBytes(name)] as const),
      ...CAPTURE_NAMES.map((name) => [`the session ${name}`, () => captureBytes(name)] as const),
      ...CAPTURE_NAMES.map((name) => {
        const cut = () => captureBytes(name).subarray(0, -10_000)
        return [`the session ${name}, cut off,`, cut] as const
      }),
    ])('accepts %s in both forms, and makes one of the other', (_, bytesOf) => {
      const bytes = bytesOf()
      const [online = bytes, known = bytes] = [false, true].map((isDefinite) => {
        const kept = new KeptBytes()
        streamToBer(() => sourceOf(bytes), kept, { definite: isDefinite })
        return kept.bytes
      })
      expect(decode(online)).toMatchObject({ isAccepted: true })
      expect(decode(known)).toMatchObject({ isAccepted: true })
      expect(Buffer.compare(der(online), known)).toBe(0)
    })

    it.each(MADE_KINDS)('takes all that we take, of damaged files (%s)', (kind) => {
      const outcomes = { taken: 0, refused: 0 }
      for (const isDefinite of [false, true]) {
        const kept = new KeptBytes()
        streamToBer(() => sourceOf(madeStream(kind)), kept, { definite: isDefinite })
        for (let round = 0; round < DAMAGED_ROUNDS; round++) {
          const bytes = damaged(kept.bytes, new Dice(round + 1))
          if (!isTaken(bytes)) outcomes.refused++
          else {
            outcomes.taken++
            expect({ round, isDefinite, ...decode(bytes) }).toMatchObject({ isAccepted: true })
          }
        }
      }
      expect(outcomes.taken).toBeGreaterThan(0)
      expect(outcomes.refused).toBeGreaterThan(0)
    })

    describe.each([
      ['indefinite', indefinite],
      ['definite', definite],
    ])('refuses the %s form', (_, whole) => {
      it.each([
        ['cut in the middle', whole.subarray(0, whole.length >> 1)],
        ['cut by its last octet', whole.subarray(0, -1)],
        ['with another outer tag', replaced(whole, '7fd146', '7fd147')],
        ['with a section of an unknown tag', replaced(whole, '7fd346', '7fd347')],
        ['with a message of an unknown tag', replaced(whole, '5fc34f', '5fc34e')],
        [
          'with a device state of 2^27 bytes and more',
          replaced(whole, '020408000000', '020408000001'),
        ],
        ['with a name of a wrong type', replaced(whole, '0c0372616d', '040372616d')],
        ['with an empty name', replaced(whole, '0c0574696d6572', '0c000403696d65')],
        ['with junk behind it', Buffer.concat([whole, Buffer.from('junk')])],
      ])('%s', (_what, bytes) => {
        expect(decode(bytes)).toMatchObject({ isAccepted: false })
      })
    })
  },
)
