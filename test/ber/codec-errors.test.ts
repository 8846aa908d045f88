// Every way in which octets can be wrong has its code and names its place, and calls that do not fit have theirs.

import { describe, expect, it } from 'vitest'
import { END } from '../../formats/ber/ber-elements.ts'
import type { BerReader } from '../../formats/ber/ber-reader.ts'
import { readElement, readTree } from './any-tree.ts'
import { berOf, errorOf, fromHex, readerOf } from './bytes.ts'

describe('octets that are wrong', () => {
  it.each([
    ['nothing at all', '', 'unexpected', 0],
    ['half a head', '7f d1', 'truncated', 0],
    ['contents cut', '02 04 01 02', 'truncated', 0],
    ['an indefinite length without end', '30 80 02 01 05', 'truncated', 5],
    ['a long tag with a leading zero', '7f 80 01 00', 'bad-tag', 0],
    ['a long tag that is a short one', '1f 02 01 05', 'bad-tag', 0],
    ['a tag beyond 28 bits', '7f ff ff ff ff 01 00', 'bad-tag', 0],
    ['end-of-contents where none is due', '30 04 00 00 05 00', 'bad-tag', 2],
    ['a primitive of indefinite length', '02 80 01 00 00', 'bad-length', 0],
    ['a length of seven octets', '02 87 00 00 00 00 00 00 01 05', 'bad-length', 0],
    ['a child longer than its parent', '30 04 02 03 01 02 03', 'bad-length', 2],
    ['a head that its parent cuts', '30 01 02 01 05', 'bad-length', 2],
    ['an INTEGER of nine octets', '02 09 01 00 00 00 00 00 00 00 00', 'bad-length', 0],
    ['an INTEGER of none', '02 00', 'bad-length', 0],
    ['an INTEGER with an octet too many', '02 02 00 05', 'bad-value', 0],
    ['a BOOLEAN of two octets', '01 02 00 00', 'bad-length', 0],
    ['a NULL with contents', '05 01 00', 'bad-length', 0],
    ['text that is not UTF-8', '0c 02 c0 80', 'bad-value', 0],
    ['a constructed INTEGER', '22 03 02 01 05', 'bad-value', 0],
    ['a primitive SEQUENCE', '10 00', 'bad-value', 0],
    ['bits that are unused', '03 02 04 f0', 'bad-value', 0],
    ['segments of segments', '24 06 24 04 04 02 aa bb', 'bad-value', 2],
    ['segments of another type', '24 03 02 01 05', 'unexpected', 2],
    ['bytes behind the end', '05 00 00', 'trailing', 2],
  ])('%s', (_, octets, code, offset) => {
    const error = errorOf(() => {
      const ber = readerOf(fromHex(octets))
      if (ber.tag === END || octets.startsWith('10')) ber.enter()
      readTree(octets.startsWith('22') ? intOnly(ber) : ber)
    })
    expect(error).toMatchObject({ code, offset })
    expect(error.message).toContain(`${code} at byte ${offset} (file): `)
  })

  it('nesting without end', () => {
    const ber = readerOf(fromHex('30 80'.repeat(1000)))
    expect(errorOf(() => readElement(ber))).toMatchObject({ code: 'too-deep', offset: 256 })
    const passing = readerOf(fromHex('30 80'.repeat(1000)))
    expect(errorOf(() => passing.skip())).toMatchObject({ code: 'too-deep' })
  })

  it('a string longer than the limit, or announced and not there', () => {
    const octets = fromHex('04 04 01 02 03 04')
    const limits = { stringBytesMax: 3 }
    expect(errorOf(() => readerOf(octets, limits).octets())).toMatchObject({ code: 'too-long' })
    const segments = fromHex('24 80 04 02 01 02 04 02 03 04 00 00')
    expect(errorOf(() => readerOf(segments, limits).octets())).toMatchObject({ code: 'too-long' })
    const before = process.memoryUsage().arrayBuffers
    const huge = readerOf(fromHex('04 84 0f ff ff ff 01'))
    expect(errorOf(() => huge.octets())).toMatchObject({ code: 'truncated', offset: 0 })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  })

  it('a number of more than 64 bits, when writing', () => {
    const error = errorOf(() => berOf('definite', (ber) => ber.integer(2n ** 63n)))
    expect(error.code).toBe('bad-value')
  })

  it('calls that do not fit each other, when writing', () => {
    expect(errorOf(() => berOf('indefinite', (ber) => ber.open())).code).toBe('unexpected')
    expect(errorOf(() => berOf('indefinite', (ber) => ber.close())).code).toBe('unexpected')
    const inside = () => berOf('indefinite', (ber) => (ber.hold(), ber.open()))
    expect(errorOf(inside).code).toBe('unexpected')
    let pass = 0
    const changed = () =>
      berOf('definite', (ber) => {
        ber.open()
        ber.octets(new Uint8Array(++pass))
        ber.close()
      })
    expect(errorOf(changed)).toMatchObject({ code: 'unexpected' })
  })
})

/** A reader whose next element is asked for as an INTEGER. */
function intOnly(ber: BerReader): BerReader {
  ber.integer()
  return ber
}
