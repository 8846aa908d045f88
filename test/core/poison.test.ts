// How input that a guest died of is recognised: by its length and its beginning, however it was cut.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClientInput, PoisonMarks, type PoisonMark } from '../../shared/poison.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

function inputOf(...pieces: readonly string[]): ClientInput {
  const input = new ClientInput('somewhere')
  for (const piece of pieces) input.said(bytesOf(piece))
  return input
}

function marksOf(...marks: readonly PoisonMark[]): PoisonMarks {
  const kept = new PoisonMarks()
  for (const mark of marks) kept.add(mark, 100)
  return kept
}

/** At which of the pieces, sent one by one, the marks fit; -1 if at none. */
function fitsAt(marks: PoisonMarks, pieces: readonly string[], now = 0): number {
  const input = new ClientInput('elsewhere')
  return pieces.findIndex((piece) => {
    const before = input.said(bytesOf(piece))
    return marks.fits(input, before, now, 200) !== undefined
  })
}

test('the same bytes fit however they are cut, when as many are there, and not before', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 4, maxLength: 3000, unit: 'grapheme-ascii' }),
      fc.array(fc.nat(), { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (text, ...[one, other]) => {
        const cut = (places: readonly number[]) => {
          const at = places.map((place) => place % text.length).toSorted((a, b) => a - b)
          return [...at, text.length].map((end, i) => text.slice(at[i - 1] ?? 0, end))
        }
        const marks = marksOf(inputOf(...cut(one)).markAt(text.length))
        const pieces = cut(other)
        const last = pieces.findLastIndex((piece) => piece !== '')
        expect(fitsAt(marks, pieces)).toBe(last)
        expect(fitsAt(marks, [`${text}and more`])).toBe(0)
        expect(fitsAt(marks, [`!${text}`.slice(0, text.length)])).toBe(
          `!${text}`.startsWith(text) ? 0 : -1,
        )
      },
    ),
  )
})

test('what was answered is no part of it, nor what the guest had not taken yet', () => {
  const input = inputOf('first')
  input.answered()
  input.said(bytesOf('second'))
  input.said(bytesOf('third'))
  const mark = input.markAt('firstsecond'.length)
  expect(mark.length).toBe('second'.length)
  expect(fitsAt(marksOf(mark), ['second'])).toBe(0)
  expect(fitsAt(marksOf(mark), ['secondthird'])).toBe(0)
  expect(fitsAt(marksOf(mark), ['firstsecond'])).toBe(-1)
})

test('a mark fits once in a request, and again in the next', () => {
  const marks = marksOf(inputOf('poison').markAt(6))
  const input = new ClientInput('elsewhere')
  const fits = (piece: string) => {
    const before = input.said(bytesOf(piece))
    return marks.fits(input, before, 0, 200)?.times
  }
  expect(fits('a longer request')).toBeUndefined()
  input.answered()
  expect([fits('poi'), fits('son'), fits('more')]).toEqual([undefined, 1, undefined])
  input.answered()
  expect(fits('poison')).toBe(2)
})

test('more than four GiB of one client are counted as the guest counts them', () => {
  const input = new ClientInput('somewhere')
  const much = { length: 2 ** 32 - 10, subarray: () => new Uint8Array(0) } as unknown as Uint8Array
  input.said(much)
  input.answered()
  input.said(bytesOf('twelve bytes'))
  expect(input.markAt(2 | 0)).toEqual(inputOf('twelve bytes').markAt(12))
})

test('marks are kept for a while after they last fitted, the shortest not at all', () => {
  const marks = marksOf(inputOf('poison').markAt(6), inputOf('abc').markAt(3))
  expect(marks.count).toBe(1)
  expect(fitsAt(marks, ['poison'], 99)).toBe(0)
  expect(fitsAt(marks, ['poison'], 199)).toBe(0)
  expect(fitsAt(marks, ['poison'], 200)).toBe(-1)
  expect(marks.count).toBe(0)
})

test('as many as the limit says, the newest ones', () => {
  const { poisonMarksMax } = LIMITS
  const texts = Array.from({ length: poisonMarksMax + 1 }, (_, i) => `poison ${i}`)
  const marks = marksOf(...texts.map((text) => inputOf(text).markAt(text.length)))
  marks.add(inputOf(texts[3]).markAt(texts[3].length), 100)
  expect(marks.count).toBe(poisonMarksMax)
  expect(texts.map((text) => fitsAt(marks, [text]))).toEqual(texts.map((_, i) => (i ? 0 : -1)))
})
