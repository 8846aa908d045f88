// Damaged BER, by chance: whatever octets a file consists of, what comes of it is a stream or a coded error, and
// never anything else that is raised. More rounds, from another seed:
//
//   COLO_FUZZ_ROUNDS=100000 COLO_FUZZ_SEED=7 npx vitest run --project core test/ber/damage

import { describe, expect, it } from 'vitest'
import { CORPUS_MISSING, STREAM_NAMES, streamBytes } from '../qemu/corpus.ts'
import { FORMS } from './bytes.ts'
import { berOfStream, codeOf, streamOfBer } from './conversion-checks.ts'
import { damaged, Dice } from './damages.ts'
import { MADE_KINDS, madeStream } from './made-stream.ts'

const ROUNDS = Number(process.env['COLO_FUZZ_ROUNDS'] ?? 400)
const SEED = Number(process.env['COLO_FUZZ_SEED'] ?? 1)

/** What came of each file: `taken`, or the code of its error. */
function outcomes(bytes: Uint8Array, rounds: number, convert: (bytes: Uint8Array) => void) {
  const counts = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    const dice = new Dice(SEED * 1_000_003 + round)
    const input = damaged(bytes, dice)
    let outcome: string
    try {
      outcome = codeOf(() => convert(input))
    } catch (error) {
      throw new Error(`seed ${SEED}, round ${round}`, { cause: error })
    }
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }
  return counts
}

const outOf = (ber: Uint8Array) => void streamOfBer(ber)

describe.each(FORMS)('damaged BER in the %s form', (form) => {
  it.each(MADE_KINDS)('of a stream, %s, is taken or told', (kind) => {
    const ber = berOfStream(madeStream(kind), form === 'definite')
    const found = outcomes(ber, ROUNDS, outOf)
    expect([...found.keys()].length).toBeGreaterThan(4)
    expect(found.get('taken') ?? 0).toBeLessThan(ROUNDS)
  })

  it.skipIf(STREAM_NAMES.length === 0)(
    `of real devices is taken or told (else ${CORPUS_MISSING})`,
    () => {
      const ber = berOfStream(streamBytes('microvm-virtio-mmio'), form === 'definite')
      const found = outcomes(ber, Math.ceil(ROUNDS / 10), outOf)
      expect(found.size).toBeGreaterThan(2)
    },
  )
})

it.each(MADE_KINDS)('a damaged stream, %s, is converted or told', (kind) => {
  const found = outcomes(madeStream(kind), ROUNDS, (bytes) => void berOfStream(bytes, false))
  expect(found.size).toBeGreaterThan(3)
})
