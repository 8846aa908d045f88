// Streams that no corpus has: one of everything, an old machine's, a package of postcopy, blocks with addresses.
// Each comes back as it was; what is wrong in one or in its BER is told with a code.

import { describe, expect, it } from 'vitest'
import { berToStream } from '../../formats/ber/ber-to-stream.ts'
import { CONTEXT_0, CONTEXT_1, OCTET_STRING } from '../../formats/ber/ber-tag.ts'
import type { BerWriter } from '../../formats/ber/ber-writer.ts'
import { TAGS } from '../../formats/ber/migration-tags.ts'
import { streamToBer } from '../../formats/ber/stream-to-ber.ts'
import { sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { berOf, errorOf, FORMS, hex, KeptBytes, type Form } from './bytes.ts'
import {
  MADE_KINDS,
  madeStream,
  streamOfPages,
  streamOfTwins,
  type MadeKind,
} from './made-stream.ts'

function intoBer(bytes: Uint8Array, form: Form) {
  const kept = new KeptBytes()
  const report = streamToBer(() => sourceOf(bytes), kept, { definite: form === 'definite' })
  return { report, ber: kept.bytes }
}

function outOfBer(ber: Uint8Array): Uint8Array {
  const kept = new KeptBytes()
  berToStream(() => sourceOf(ber), kept)
  return kept.bytes
}

describe.each(FORMS)('in the %s form', (form) => {
  it.each(MADE_KINDS)('a stream, %s, comes back as it was', (kind) => {
    const bytes = madeStream(kind)
    expect(hex(outOfBer(intoBer(bytes, form).ber))).toBe(hex(bytes))
  })

  it.each<[MadeKind, number, number, number, number]>([
    ['whole', 11, 3, 77, 1000],
    ['old', 11, 3, 0, 0],
    ['postcopy', 11, 11, 0, 0],
    ['shared', 0, 0, 0, 0],
    ['colo', 11, 3, 0, 0],
  ])('%s: what the report says', (kind, deviceBytes, blobBytes, diskBytes, trailerBytes) => {
    const { report } = intoBer(madeStream(kind), form)
    expect(report).toMatchObject({ deviceBytes, blobBytes, diskBytes, trailerBytes })
  })
})

it('devices of one name and instance are told apart, also behind one that stays bytes', () => {
  const bytes = streamOfTwins()
  const { report, ber } = intoBer(bytes, 'indefinite')
  expect(report).toMatchObject({ deviceBytes: 3, blobBytes: 1 })
  expect(hex(outOfBer(ber))).toBe(hex(bytes))
})

it.each([true, false])(
  'pages of 8192 bytes come back as they were (described: %s)',
  (isDescribed) => {
    const bytes = streamOfPages(8192, isDescribed)
    const pages = { pageBytes: 8192 }
    const [ber, back] = [new KeptBytes(), new KeptBytes()]
    streamToBer(() => sourceOf(bytes), ber, pages)
    berToStream(() => sourceOf(ber.bytes), back, isDescribed ? {} : pages)
    expect(hex(back.bytes)).toBe(hex(bytes))
    if (!isDescribed) expect(errorOf(() => outOfBer(ber.bytes)).code).toBe('bad-value')
  },
)

it('the definite form is the same whatever form it came from', () => {
  const bytes = madeStream('whole')
  const again = outOfBer(intoBer(bytes, 'indefinite').ber)
  expect(hex(intoBer(again, 'definite').ber)).toBe(hex(intoBer(bytes, 'definite').ber))
})

it('a stream that is cut off anywhere is told, and nothing is believed of the rest', () => {
  const bytes = madeStream('whole').subarray(0, -1000)
  for (let cut = 0; cut < bytes.length; cut += 97) {
    try {
      intoBer(bytes.subarray(0, cut), 'indefinite')
      throw new Error(`cut at ${cut} it was taken`)
    } catch (error) {
      if (!(error instanceof QemuStreamError)) throw error
      expect(['truncated', 'bad-magic']).toContain(error.code)
    }
  }
})

/** A QemuFile around these sections. */
const fileOf = (sections: (ber: BerWriter) => void, behind: (ber: BerWriter) => void = () => {}) =>
  berOf('indefinite', (ber) => {
    ber.open(TAGS.QemuFile)
    ber.integer(3)
    ber.open()
    sections(ber)
    ber.close()
    behind(ber)
    ber.close()
  })

const full = (ber: BerWriter, contents: (ber: BerWriter) => void) => {
  ber.open(TAGS.SecFull)
  ber.integer(5)
  ber.name('timer')
  ber.integer(0)
  ber.integer(2)
  contents(ber)
  ber.close()
}

const part = (ber: BerWriter, contents: (ber: BerWriter) => void) => {
  ber.open(TAGS.SecPart)
  ber.integer(2)
  contents(ber)
  ber.close()
}

const emptyState = (ber: BerWriter) => {
  ber.hold(TAGS.VMState)
  ber.hold()
  ber.close()
  ber.close()
}

const command = (ber: BerWriter, id: number, data: number[]) => {
  ber.open(TAGS.Command)
  ber.integer(id)
  ber.octets(Uint8Array.from(data))
  if (id === 7) ber.open()
  if (id === 7) ber.close()
  ber.close()
}

const ramPage = (page: (ber: BerWriter) => void) =>
  fileOf((ber) => {
    ber.open(TAGS.SecStart)
    ber.integer(2)
    ber.name('ram')
    ber.integer(0)
    ber.integer(4)
    ber.open(TAGS.RAMSecList)
    ber.open()
    ber.open()
    ber.name('pc.ram')
    ber.open()
    page(ber)
    for (let i = 0; i < 5; i++) ber.close()
  })

/** A QemuFile with this for its session. */
const colo = (items: (ber: BerWriter) => void) =>
  fileOf(
    () => {},
    (ber) => {
      ber.open(CONTEXT_1)
      items(ber)
      ber.close()
    },
  )

const state = (ber: BerWriter, size: number) => {
  ber.open(TAGS.CheckpointState)
  ber.integer(size)
  ber.open()
  ber.close()
  ber.close()
}

/** A QemuFile with a subsection of its configuration. */
const configured = (name: string, value: number) =>
  berOf('definite', (ber) => {
    ber.hold(TAGS.QemuFile)
    ber.integer(3)
    ber.hold(TAGS.Configuration)
    ber.name('pc')
    ber.hold(TAGS.SubSecList)
    ber.hold(TAGS.SubSection)
    ber.name(name)
    ber.integer(1)
    ber.hold(TAGS.VMState)
    ber.hold()
    ber.integer(value)
    for (let i = 0; i < 5; i++) ber.close()
    ber.hold()
    ber.close()
    ber.close()
  })

it('a device state without devices is its end alone', () => {
  expect(hex(outOfBer(colo((ber) => state(ber, 1))))).toBe(
    '5145564d00000003 00 00000004 0000000000000001 00'.replaceAll(' ', ''),
  )
})

describe('BER that is no stream', () => {
  it.each<[string, Uint8Array, string]>([
    [
      'of another version',
      berOf(
        'definite',
        (ber) => (ber.hold(TAGS.QemuFile), ber.integer(2), ber.hold(), ber.close(), ber.close()),
      ),
      'bad-value',
    ],
    ['with something else for a section', fileOf((ber) => ber.null()), 'unexpected'],
    ['with a section without contents', fileOf((ber) => full(ber, () => {})), 'unexpected'],
    [
      'with contents of another kind',
      fileOf((ber) => full(ber, (inner) => inner.integer(1))),
      'unexpected',
    ],
    [
      'with a part of nothing',
      fileOf((ber) => part(ber, (inner) => inner.octets(new Uint8Array()))),
      'unexpected',
    ],
    ['with fields and no vmdesc', fileOf((ber) => full(ber, emptyState)), 'no-description'],
    [
      'with fields and a vmdesc that is no JSON',
      fileOf(
        (ber) => full(ber, emptyState),
        (ber) => ber.text('{', TAGS.VMDescription),
      ),
      'no-description',
    ],
    [
      'with fields and a vmdesc of another machine',
      fileOf(
        (ber) => full(ber, emptyState),
        (ber) => ber.text('{"page_size": 4096, "devices": []}', TAGS.VMDescription),
      ),
      'no-description',
    ],
    [
      'with a package of another length',
      fileOf((ber) => command(ber, 7, [0, 0, 0, 9])),
      'bad-value',
    ],
    [
      'with a page of a wrong size',
      ramPage((ber) => ber.addressed(TAGS.FullPage, 0, new Uint8Array(100))),
      'bad-value',
    ],
    [
      'with a page at a wrong address',
      ramPage((ber) => ber.addressed(TAGS.FullPage, 100, new Uint8Array(4096))),
      'bad-value',
    ],
    ['with a subsection of the configuration that nobody knows', configured('x', 12), 'unexpected'],
    [
      'with a message that wants a size',
      colo((ber) => ber.integer(4, TAGS.ColoMessage)),
      'bad-value',
    ],
    ['with something else for a message', colo((ber) => ber.integer(1)), 'unexpected'],
    ['with a device state of another size', colo((ber) => state(ber, 9)), 'bad-value'],
    ['with a device state of 2^28 bytes', colo((ber) => state(ber, 2 ** 28)), 'bad-value'],
    ['with pages of 2^40 bytes', configured('configuration/target-page-bits', 40), 'bad-value'],
  ])('%s', (_, bytes, code) => {
    const error = errorOf(() => outOfBer(bytes))
    expect(error.code).toBe(code)
    expect(error.offset).toBeGreaterThanOrEqual(0)
    expect(error.message.length).toBeGreaterThan(30)
  })

  it('with a trailer, and with a section in segments, is one', () => {
    const bytes = fileOf(
      (ber) =>
        full(ber, (inner) => {
          inner.openString(OCTET_STRING)
          inner.chunk(Uint8Array.of(1))
          inner.chunk(Uint8Array.of(2))
          inner.close()
        }),
      (ber) => {
        ber.openString(CONTEXT_0)
        ber.chunk(Uint8Array.of(0xff))
        ber.close()
      },
    )
    const name = hex(new TextEncoder().encode('timer'))
    const section = `0400000005 05${name} 00000000 00000002 0102 7e00000005`
    expect(hex(outOfBer(bytes))).toBe(`5145564d00000003 ${section} 00 ff`.replaceAll(' ', ''))
  })
})
