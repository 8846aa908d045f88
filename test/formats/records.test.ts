// Every row of both tables: its fields survive encoding and decoding, its record is a multiple of 8
// bytes with zeros for padding and reserved fields, and the tables say what Xen's documents say.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyLength, decodeBody, offsetOfField } from '../../formats/xen/body-layout.ts'
import type { EncodedFields, Layout } from '../../formats/xen/body-layout.ts'
import { readU32, readU64, roundUp8 } from '../../formats/bytes/byte-order.ts'
import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { CONTROL_ID, LIBXL } from '../../formats/xen/libxl-records.ts'
import * as pageData from '../../formats/xen/page-data.ts'
import { encodeRecord, fixedRecords } from '../../formats/xen/record-encoder.ts'
import { lengthAllowed } from '../../formats/xen/record-spec.ts'
import type { RecordSpec } from '../../formats/xen/record-spec.ts'
import { decodeXenstoreStrings, encodeXenstorePairs } from '../../formats/xen/xenstore-data.ts'

const rows: [string, RecordSpec][] = [...Object.values(LIBXL), ...Object.values(LIBXC)].map(
  (spec) => [`${spec.layer} ${spec.name}`, spec],
)
const u32 = fc.nat({ max: 0xffffffff })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

/**
 * Fields of a layout; byte fields take what is missing to `bytesMin` of the body, and up to 40
 * more.
 */
function arbitraryFields(layout: Layout, bytesMin: number): fc.Arbitrary<EncodedFields<Layout>> {
  const fields: Record<string, fc.Arbitrary<EncodedFields<Layout>[string]>> = {}
  for (const [name, kind] of Object.entries(layout)) {
    if (kind === 'u8') fields[name] = fc.nat({ max: 255 })
    else if (kind === 'u32') fields[name] = u32
    else if (kind === 'u64') fields[name] = u64
    else if (kind === 'bytes') {
      const minLength = Math.max(0, bytesMin - offsetOfField(layout, name))
      fields[name] = fc.uint8Array({ minLength, maxLength: minLength + 40 })
    } else if (typeof kind !== 'string') {
      fields[name] =
        kind[0] === 'u64'
          ? fc.array(u64, { maxLength: 5 })
          : fc.array(arbitraryFields(kind[0], 0), { maxLength: 5 })
    }
  }
  return fc.record(fields)
}

function typesOf(table: Readonly<Record<string, RecordSpec>>): number[] {
  return Object.values(table)
    .map(({ type }) => type)
    .toSorted((a, b) => a - b)
}

describe('the record tables', () => {
  it('hold every type of both specifications once, at its own place', () => {
    expect(typesOf(LIBXL)).toEqual([0, 1, 2, 3, 4, 5])
    expect(typesOf(LIBXC)).toEqual([...Array(0x13).keys()])
    for (const [name, row] of [...Object.entries(LIBXL), ...Object.entries(LIBXC)]) {
      expect(row.name).toBe(name)
    }
  })

  it.each(rows)('%s survives a round trip', (_, spec) => {
    const property = fc.property(arbitraryFields(spec.layout, spec.length.min), (fields) => {
      fc.pre(lengthAllowed(spec.length, bodyLength(spec.layout, fields)))
      const record = encodeRecord(spec, fields)
      const length = readU32(record, 4)
      expect([readU32(record, 0), record.length]).toEqual([spec.type, 8 + roundUp8(length)])
      expect(lengthAllowed(spec.length, length)).toBe(true)
      expect(record.subarray(8 + length).every((byte) => byte === 0)).toBe(true)
      expect(decodeBody(spec.layout, record.subarray(8, 8 + length))).toMatchObject(fields)
    })
    fc.assert(property, { numRuns: 50 })
  })

  it('computes counts, and refuses fields that are not of their kind', () => {
    const params = [{ index: 5n, value: 6n }]
    const body = encodeRecord(LIBXC.HVM_PARAMS, { params }).subarray(8)
    expect(decodeBody(LIBXC.HVM_PARAMS.layout, body)).toEqual({ count: 1, params })
    const untyped: RecordSpec = LIBXL.CHECKPOINT_STATE
    expect(() => encodeRecord(untyped, { controlId: 2n })).toThrow('controlId must be u32')
    expect(() => encodeRecord(LIBXC.HVM_CONTEXT, { blob: new Uint8Array(0) })).toThrow(RangeError)
    const lie = Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
    expect(() => decodeBody(LIBXC.PAGE_DATA.layout, lie)).toThrow('9 counted, 1 present')
  })

  it('has the records that never change as Xen writes them', () => {
    const { SVM_READY, CHECKPOINT, CHECKPOINT_END, LIBXC_CONTEXT } = fixedRecords
    expect([...SVM_READY]).toEqual([
      5,
      0,
      0,
      0,
      4,
      0,
      0,
      0,
      CONTROL_ID.SVM_READY,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ])
    expect([CHECKPOINT[0], CHECKPOINT_END[0], LIBXC_CONTEXT[0]]).toEqual([0xe, 4, 1])
    const lengths = Object.values(fixedRecords).map((record) => record.length)
    expect(lengths).toEqual([8, 8, 8, 16, 16, 16, 16, 8, 8, 8])
  })

  it('keeps xenstore strings as they were', () => {
    const pairs: [string, string][] = [
      ['physmap/f0/size', '\xff\x80'],
      ['name', ''],
    ]
    expect(decodeXenstoreStrings(encodeXenstorePairs(pairs))).toEqual(pairs.flat())
  })
})

describe('pfn words', () => {
  const pfn = fc.maxSafeNat().map((value) => value % 2 ** 52)
  const type = fc.nat({ max: 15 })

  it('hold any 52-bit pfn and any type, as a 64-bit reading of them says', () => {
    const property = fc.property(pfn, type, (value, pageType) => {
      const words = new Uint8Array(16)
      const view = new DataView(words.buffer)
      expect(pageData.writePfn(view, 8, value, pageType)).toBe(16)
      expect(readU64(words, 8)).toBe((BigInt(pageType) << 60n) | BigInt(value))
      expect(pageData.pfnOf(words, 1)).toBe(value)
      expect(pageData.pageTypeOf(words, 1)).toBe(pageType)
    })
    fc.assert(property)
    fc.assert(property, { examples: [[2 ** 52 - 1, 15]], numRuns: 1 })
  })

  it('ignore reserved bits 52 to 59', () => {
    const words = Uint8Array.of(1, 0, 0, 0, 0, 0, 0xf0, 0x9f)
    expect([pageData.pfnOf(words, 0), pageData.pageTypeOf(words, 0)]).toEqual([1, 9])
  })

  it('know which types carry a page, and find the first reserved one', () => {
    const words = new Uint8Array(16 * 8)
    const carrying: number[] = []
    for (let pageType = 0; pageType < 16; pageType++) {
      pageData.writePfn(new DataView(words.buffer), pageType * 8, 1, pageType)
      if (pageData.carriesPage(pageType)) carrying.push(pageType)
    }
    expect(carrying).toEqual([0, 1, 2, 3, 4, 9, 10, 11, 12])
    expect(pageData.countDataPages(words, 5)).toBe(5)
    expect(pageData.countDataPages(words, 16)).toBe(-1 - 5)
    expect(pageData.countDataPages(words.subarray(9 * 8), 7)).toBe(4)
  })

  it('round lengths up beyond 32 bits', () => {
    expect([0, 1, 8, 9, 0xffffffff].map(roundUp8)).toEqual([0, 8, 8, 16, 0x1_0000_0000])
    expect(pageData.pageDataBytes(1024, 1000)).toBe(8 + 8192 + 4_096_000)
  })
})
