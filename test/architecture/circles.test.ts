// No file needs itself through others, imports of types included: a circle is one file in several pieces, and cannot be
// read from the bottom up. Those that are left are listed, and the list fails once one of them is gone.

import { expect, test } from 'vitest'
import { importsOf, SOURCES } from './sources.ts'

/** The first file of each circle. */
const LEFT: readonly string[] = ['test/simulation/checkers/checkers.ts']

/** Tarjan's algorithm: files that reach each other, in groups of more than one. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (file: string): number => {
    const index = order.size
    order.set(file, index)
    open.push(file)
    let low = index
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next))
      else if (open.includes(next)) low = Math.min(low, order.get(next) ?? low)
    }
    if (low === index) {
      const group = open.splice(open.indexOf(file))
      if (group.length > 1) found.push(group.toSorted())
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}

const graph = new Map(
  SOURCES.map((file) => [
    file,
    importsOf(file).flatMap(({ to }) => (to.endsWith('.ts') ? [to] : [])),
  ]),
)

test('there are no circles but those that are listed', () => {
  expect(
    circles(graph)
      .map(([first]) => first)
      .toSorted(),
  ).toEqual(LEFT)
})

test('a circle is found', () => {
  const made = new Map([
    ['a', ['b', 'd']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['d']],
  ])
  expect(circles(made)).toEqual([['a', 'b', 'c']])
})
