// The codec by itself: any tree of values, written in both forms, is read back as it was, by us and by asn1js,
// whose code shares nothing with ours.

import { fromBER, type AsnType, BaseBlock } from 'asn1js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BerReader } from '../../formats/ber/ber-reader.ts'
import { application, context, SEQUENCE } from '../../formats/ber/ber-tag.ts'
import type { BerWriter } from '../../formats/ber/ber-writer.ts'
import { readTree } from './any-tree.ts'
import { berOf, dribbleOf, FORMS, fromHex, hex, readerOf } from './bytes.ts'

type Tree =
  | { readonly kind: 'long' | 'held'; readonly tag: number; readonly inside: readonly Tree[] }
  | { readonly kind: 'leaf'; readonly value: bigint | boolean | string | null }
  | { readonly kind: 'octets' | 'string'; readonly bytes: Uint8Array }
  | { readonly kind: 'bits'; readonly bytes: Uint8Array }

const tags = fc.oneof(
  fc.constant(SEQUENCE),
  fc.nat(2 ** 28 - 1).map((number) => application(number)),
  fc.nat(40).map((number) => context(number)),
)

const leaves = fc.oneof(
  fc.record({
    kind: fc.constant('leaf' as const),
    value: fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.integer().map(BigInt),
      fc.boolean(),
      fc.string({ unit: 'binary' }),
      fc.constant(null),
    ),
  }),
  fc.record({
    kind: fc.constantFrom('octets' as const, 'bits' as const),
    bytes: fc.uint8Array({ maxLength: 300 }),
  }),
)

const { tree } = fc.letrec<{ tree: Tree; held: Tree }>((tie) => ({
  held: fc.oneof(
    { maxDepth: 4 },
    leaves,
    fc.record({
      kind: fc.constant('held' as const),
      tag: tags,
      inside: fc.array(tie('held'), { maxLength: 6 }),
    }),
  ),
  tree: fc.oneof(
    { maxDepth: 4 },
    leaves,
    fc.record({ kind: fc.constant('string' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({
      kind: fc.constant('held' as const),
      tag: tags,
      inside: fc.array(tie('held'), { maxLength: 6 }),
    }),
    fc.record({
      kind: fc.constant('long' as const),
      tag: tags,
      inside: fc.array(tie('tree'), { maxLength: 6 }),
    }),
  ),
}))

function write(ber: BerWriter, node: Tree): void {
  if (node.kind === 'octets') ber.octets(node.bytes)
  else if (node.kind === 'bits') ber.bits(node.bytes)
  else if (node.kind === 'string') {
    ber.openString()
    for (let at = 0; at < node.bytes.length; at += 7) ber.chunk(node.bytes.subarray(at, at + 7))
    ber.close()
  } else if (node.kind === 'leaf') {
    const { value } = node
    if (value === null) ber.null()
    else if (typeof value === 'boolean') ber.boolean(value)
    else if (typeof value === 'bigint') ber.integer(value)
    else ber.text(value)
  } else if ('inside' in node) {
    if (node.kind === 'long') ber.open(node.tag)
    else ber.hold(node.tag)
    for (const inner of node.inside) write(ber, inner)
    ber.close()
  }
}

/** A tree without what BER does not say: whether an element was held, whether a string came in segments. */
function plain(node: Tree): unknown {
  if (node.kind === 'leaf') return node.value
  if (node.kind === 'bits') return { bits: hex(node.bytes) }
  if (!('inside' in node)) return { octets: hex(node.bytes) }
  return { tag: node.tag, inside: node.inside.map(plain) }
}

describe.each(FORMS)('in the %s form', (form) => {
  it('any tree is read as it was written', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const bytes = berOf(form, (ber) => write(ber, node))
        expect(readTree(readerOf(bytes))).toEqual(plain(node))
        expect(readTree(new BerReader(dribbleOf(bytes), {}, 1))).toEqual(plain(node))
        const passing = readerOf(bytes)
        passing.skip()
        passing.endOfFile()
      }),
    )
  })

  it('any tree is read by asn1js and has the same values in the same places', () => {
    const valuesOf = (block: AsnType): number =>
      block instanceof BaseBlock && block.idBlock.isConstructed
        ? (block as unknown as { valueBlock: { value: AsnType[] } }).valueBlock.value.reduce(
            (sum, inner) => sum + valuesOf(inner),
            1,
          )
        : 1
    const countOf = (node: Tree): number => {
      if ('inside' in node) return node.inside.reduce((sum, inner) => sum + countOf(inner), 1)
      if (node.kind !== 'string' || form === 'definite') return 1
      return 1 + Math.ceil(node.bytes.length / 7)
    }
    fc.assert(
      fc.property(tree, (node) => {
        const bytes = berOf(form, (ber) => write(ber, node))
        const { offset, result } = fromBER(bytes)
        expect(result.error).toBe('')
        expect(offset).toBe(bytes.length)
        expect(valuesOf(result)).toBe(countOf(node))
      }),
    )
  })
})

describe('octets that X.690 gives', () => {
  it.each([
    [0, '02 01 00'],
    [127, '02 01 7f'],
    [128, '02 02 00 80'],
    [-128, '02 01 80'],
    [-129, '02 02 ff 7f'],
    [2 ** 31, '02 05 00 80 00 00 00'],
    [-(2 ** 31), '02 04 80 00 00 00'],
    [2 ** 53 - 1, '02 07 1f ff ff ff ff ff ff'],
    [2n ** 63n - 1n, '02 08 7f ff ff ff ff ff ff ff'],
    [-(2n ** 63n), '02 08 80 00 00 00 00 00 00 00'],
    [-(2n ** 55n), '02 07 80 00 00 00 00 00 00'],
  ])('of the INTEGER %s', (value, octets) => {
    const bytes = berOf('definite', (ber) => ber.integer(value))
    expect(hex(bytes)).toBe(octets.replaceAll(' ', ''))
    expect(BigInt(readerOf(bytes).integer())).toBe(BigInt(value))
  })

  it('of tags in several octets, and lengths', () => {
    const tag = application(10438)
    expect(hex(berOf('indefinite', (ber) => (ber.open(tag), ber.close())))).toBe('7fd146800000')
    expect(hex(berOf('definite', (ber) => (ber.open(tag), ber.close())))).toBe('7fd14600')
    expect(hex(berOf('definite', (ber) => ber.null(application(2 ** 28 - 1))))).toBe('5fffffff7f00')
    const long = berOf('definite', (ber) => ber.octets(new Uint8Array(70_000)))
    expect(hex(long.subarray(0, 5))).toBe('0483011170')
    const held = berOf('indefinite', (ber) => {
      ber.hold()
      ber.octets(new Uint8Array(200))
      ber.close()
    })
    expect(hex(held.subarray(0, 6))).toBe('3081cb0481c8')
  })

  it('in forms that we do not write', () => {
    expect(readerOf(fromHex('02 84 00 00 00 01 05')).integer()).toBe(5)
    expect(readerOf(fromHex('01 01 01')).boolean()).toBe(true)
    expect(hex(readerOf(fromHex('24 80 04 01 aa 04 02 bb cc 00 00')).octets())).toBe('aabbcc')
    expect(hex(readerOf(fromHex('24 04 04 02 bb cc')).octets())).toBe('bbcc')
    expect(readerOf(fromHex('2c 05 0c 03 61 62 63')).text()).toBe('abc')
  })
})
