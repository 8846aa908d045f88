// Every wait has a named deadline, and something defined happens when it passes. The charts wait in two ways:
// by `after` with a delay of DELAYS, and in the rounds, where one wait follows the other within a millisecond,
// by the action `await` and the event `deadline.passed` (shared/role/deadline.ts). Read from the charts:
// both name rows of DELAYS, and no leaf waits without. Tried on a clock: when the delay has passed, and not a
// millisecond sooner, the actor leaves or acts.

import { describe, expect, test } from 'vitest'
import type { AnyStateNode } from 'xstate'
import {
  DERIVED_DELAYS,
  delaysWith,
  DELAY_NAMES,
  machineDelays,
  type DelayName,
} from '../../shared/protocol/delays.ts'
import { VirtualClock } from './virtual-clock.ts'
import { graphOf, machineOf, recorderOf, shortestWays, type RoleName } from './walks.ts'

const NAMES: readonly string[] = [...DELAY_NAMES, ...Object.keys(DERIVED_DELAYS)]
const MS = machineDelays(delaysWith())

/**
 * Where a side may stay for as long as nothing happens: nothing is owed to it there, it waits for an operator, or
 * an operator's verb is under way, which has deadlines of its own (side/adoption.ts, side/start-over.ts).
 */
const RESTING: Readonly<Record<RoleName, readonly string[]>> = {
  primary: [
    'halted.adopting',
    'halted.resting',
    'claiming.adopting',
    'session.round.idle',
    'session.standing.unasked',
    'session.standing.named',
    'leaving',
  ],
  secondary: [
    'claiming.adopting',
    'startingOver.writing',
    'superseded',
    'session.standing.unseeded',
    'session.standing.seeded',
    'session.standing.named',
    'promoted',
  ],
}

interface Action {
  readonly type: string
  readonly params?: { readonly delay?: DelayName; readonly detail?: DelayName }
}

function nodesBelow(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((child) => nodesBelow(child))]
}

const nameOf = (node: AnyStateNode) => node.path.join('.')
const isLeaf = (node: AnyStateNode) => Object.keys(node.states).length === 0
const detailOf = (action: unknown) => (action as Action).params?.detail
const awaitOf = (action: unknown) => (action as Action).params?.delay

/** The delays that a state waits for: its own, and the one that its `deadline.passed` is about. */
function delaysOf(node: AnyStateNode): DelayName[] {
  const passed = node.transitions.get('deadline.passed') ?? []
  const missed = passed.flatMap(({ actions }) => actions.map(detailOf))
  const awaited = node.entry.map(awaitOf)
  const after = node.after.map(({ delay }) => delay as DelayName)
  return [...new Set([...after, ...awaited, ...missed])].filter((name) => name !== undefined)
}

/** Whether a state's line, such as `session(round: idle, standing: named)`, lies in this node. */
function isWithin(state: string, { path }: AnyStateNode): boolean {
  return path.every((key) => new RegExp(`(^|\\W)${key}(\\W|$)`).test(state))
}

/** What an actor does within `ms` of having reached a state of this node, and where it is then. */
function within(
  role: RoleName,
  node: AnyStateNode,
  ms: number,
): { did: string[]; isThere: boolean } {
  const ways = shortestWays(graphOf(role))
  const way = [...ways].find(([state]) => isWithin(state, node))?.[1]
  if (way === undefined) throw new Error(`${nameOf(node)} is never reached`)
  const clock = new VirtualClock()
  const recorder = recorderOf(role, clock)
  for (const event of way) recorder.send(event)
  clock.advance(ms)
  const result = { did: [...recorder.take()], isThere: isWithin(recorder.state, node) }
  recorder.stop()
  return result
}

describe.each<RoleName>(['primary', 'secondary'])('the %s', (role) => {
  const nodes = nodesBelow(machineOf(role).root)
  const waiting = nodes.filter((node) => delaysOf(node).length > 0)

  test('names every delay by a row of DELAYS', () => {
    expect(waiting.length).toBeGreaterThan(10)
    for (const node of waiting) {
      for (const delay of delaysOf(node)) expect(NAMES, nameOf(node)).toContain(delay)
    }
  })

  test('waits nowhere without a deadline', () => {
    const resting = nodes.filter((node) => isLeaf(node) && delaysOf(node).length === 0)
    expect(resting.map(nameOf).toSorted()).toEqual(RESTING[role].toSorted())
  })

  test('acts on every wait that it begins', () => {
    for (const node of nodes.filter(({ entry }) => entry.some(awaitOf))) {
      expect(node.transitions.has('deadline.passed'), nameOf(node)).toBe(true)
    }
  })

  test.each(waiting.map((node) => ({ node, name: nameOf(node) })))('acts in $name', ({ node }) => {
    for (const delay of delaysOf(node)) {
      const ms = MS[delay]
      const early = within(role, node, ms - 1)
      const late = within(role, node, ms)
      const acts = `${early.did.join(', ')} | ${late.did.join(', ')}`
      const more = late.did.slice(early.did.length)
      expect({ acts, acted: more.length > 0 || !late.isThere }).toEqual({ acts, acted: true })
      if (!isLeaf(node)) continue
      expect({ delay, isThere: early.isThere }).toEqual({ delay, isThere: true })
      expect(early.did.filter((action) => action.includes(`endSession(${delay}`))).toEqual([])
    }
  })
})
