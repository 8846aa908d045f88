// The union of what was captured and what the secondary asks for: each page once, the captured ones first.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { withAlso } from '../../primary/pfn-list.ts'

const pfns = fc.array(fc.nat(200), { maxLength: 40 })

test('is the union, captured first and in their order, then the others ascending', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(200), { maxLength: 40 }),
      pfns,
      fc.nat(5),
      (some, also, spare) => {
        const captured = some.toSorted((one, other) => one - other)
        // What lies behind the count is of no account, whatever it is.
        const list = Uint32Array.from([...captured, ...Array.from({ length: spare }, () => 9)])
        const before = [...also]
        const asked = Uint32Array.from(also)
        const all = withAlso(list, captured.length, asked)
        const others = [...new Set(also)].filter((pfn) => !captured.includes(pfn))
        expect([...all]).toEqual([...captured, ...others.toSorted((one, other) => one - other)])
        expect([...asked]).toEqual(before)
      },
    ),
  )
})
