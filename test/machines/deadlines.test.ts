// Every wait has a named deadline, and something defined happens when it passes. Read from the charts: each
// `after` names a row of DELAYS. Tried on a clock: in every state that has one, letting that delay pass makes
// the actor leave or act. And the other way round: no state of the handshake waits without one.

import { describe, expect, test } from 'vitest'
import type { AnyStateNode } from 'xstate'
import { DELAYS, DELAY_NAMES, type DelayName } from '../../shared/protocol/delays.ts'
import { VirtualClock } from './virtual-clock.ts'
import { graphOf, machineOf, recorderOf, shortestWays, type RoleName } from './walks.ts'

/** Where a side may stay for as long as nothing happens: nothing is owed to it there. */
const RESTING: Readonly<Record<RoleName, readonly string[]>> = {
  primary: [
    'standalone',
    'session.round.idle',
    'session.round.requesting.pvm.captured',
    'session.round.requesting.svm.suspended',
    'session.standing.unasked',
    'session.standing.named',
    'leaving',
  ],
  secondary: [
    'session.standing.unseeded',
    'session.standing.seeded',
    'session.standing.named',
    'promoted',
  ],
}

function nodesBelow(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((child) => nodesBelow(child as AnyStateNode))]
}

const isLeaf = (node: AnyStateNode) => Object.keys(node.states).length === 0
const delaysOf = (node: AnyStateNode) => node.after.map(({ delay }) => delay)

describe.each<RoleName>(['primary', 'secondary'])('the %s', (role) => {
  const nodes = nodesBelow(machineOf(role).root)

  test('names every delay by a row of DELAYS', () => {
    const named = nodes.flatMap(delaysOf)
    expect(named.length).toBeGreaterThan(10)
    for (const delay of named) expect(DELAY_NAMES).toContain(delay)
  })

  test('waits nowhere without a deadline', () => {
    const waiting = nodes.filter((node) => isLeaf(node) && delaysOf(node).length === 0)
    expect(waiting.map(({ path }) => path.join('.')).toSorted()).toEqual(RESTING[role].toSorted())
  })

  // Each region's own deadline, with only that many milliseconds on the clock since the state was entered.
  const timed = nodes.filter((node) => delaysOf(node).length > 0)
  const ways = shortestWays(graphOf(role))

  test.each(timed.map((node) => ({ node, name: node.path.join('.') })))(
    'acts in $name',
    ({ node }) => {
      for (const delay of new Set(delaysOf(node) as DelayName[])) {
        const way = [...ways.entries()].find(([state]) => isWithin(state, node.path))?.[1]
        if (way === undefined) throw new Error(`${node.path.join('.')} is never reached`)
        const clock = new VirtualClock()
        const recorder = recorderOf(role, clock)
        for (const event of way) recorder.send(event)
        const before = recorder.state
        recorder.take()
        clock.advance(DELAYS[delay].ms - 1)
        const early = recorder.take()
        clock.advance(1)
        const acted = recorder.take().length > 0
        recorder.stop()
        expect({ delay, acted: acted || recorder.state !== before }).toEqual({ delay, acted: true })
        if (node.path[0] !== 'yielding' && node.path[1] !== 'standing') {
          expect(early.filter((action) => action.includes(delay))).toEqual([])
        }
      }
    },
  )
})

/** Whether a state's line, such as `session(round: idle, standing: named)`, lies in this path. */
function isWithin(state: string, path: readonly string[]): boolean {
  return path.every((key) => new RegExp(`(^|\\W)${key}(\\W|$)`).test(state))
}
