// The rewriter against plain modules, from seeds; and four mistakes that must not survive it. The long run is
// `node dist/test/dirty-log/fuzz.js --modules 2000`.

import { describe, expect, test } from 'vitest'
import { OPERATIONS, type Operation, type Operations } from '../../formats/wasm/operations.ts'
import { Difference } from './differential.ts'
import { fuzz, type FuzzOptions } from './fuzz.ts'

const MODULES = 150

test(`${MODULES} made-up modules do the same once they are rewritten, and no dirty page is missed`, () => {
  const tally = fuzz(1, MODULES)
  // What was compared must be worth comparing.
  expect(tally.calls).toBeGreaterThan(MODULES * 20)
  expect(tally.traps).toBeGreaterThan(tally.calls * 0.05)
  expect(tally.traps).toBeLessThan(tally.calls * 0.5)
  expect(tally.dirty).toBeGreaterThan(MODULES * 10)
  expect(tally.straddled).toBeGreaterThan(10)
  expect(tally.failovers).toBeGreaterThan(MODULES)
  // Stores that write what was there are marked too; but not everything may be.
  expect(tally.collected).toBeLessThan(tally.dirty * 3)
})

/** The table without the marks of those operations. */
function unmarked(isMeant: (operation: Operation) => boolean): Operations {
  const table = [...OPERATIONS].map(([code, operation]): [number, Operation] => {
    const { effect } = operation
    if (!isMeant(operation) || effect === undefined || !('writes' in effect)) {
      return [code, operation]
    }
    return [code, { ...operation, effect: { ...effect, writes: false } }]
  })
  return new Map(table)
}

const isLaneStore = ({ name }: Operation) => /^v128\.store\d+_lane$/.test(name)

describe('a mistake that is planted is found', () => {
  test.each<[string, FuzzOptions]>([
    ['lane stores are not marked', { operations: unmarked(isLaneStore) }],
    ['bulk is not marked', { operations: unmarked(({ effect }) => effect?.kind === 'bulk') }],
    ['the collector does not look for straddles', { looksForStraddles: false }],
  ])('%s', (_, options) => {
    expect(() => fuzz(1, MODULES, options)).toThrow(Difference)
    expect(() => fuzz(1, MODULES, options)).toThrow(/page \d+ changed, not collected/)
  })

  test('mutable globals are not kept', () => {
    expect(() => fuzz(1, MODULES, { keepsGlobals: false })).toThrow(/call \d+, .*: plain/)
  })
})
