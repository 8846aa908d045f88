// Every simple path through both statecharts, each run through a fresh actor whose actions only note their
// names: the actor must be where the path says after each step, and no step may break a rule of the actions.
//
// A path is simple when it visits no state twice. One bound: where several events lead from one state to the
// same next one (the primary's witness.unreachable, witness.retry and a deadline all lead from `asking` to
// `askingAgain`), the paths would multiply (264,000 for the primary) without visiting anything new. xstate is
// therefore asked for the paths over one event a pair of states (about 20,000), and each path picks its events
// from those that lead the same way in turn. A path that is the beginning of another is run as that. That no
// event is forgotten so is what the last test is for: every event in every state, also those that change
// nothing, from the shortest way there.

import { describe, expect, test } from 'vitest'
import type { AnyActorLogic, EventObject } from 'xstate'
import { getSimplePaths } from 'xstate/graph'
import { watcherOf } from './action-rules.ts'
import { VirtualClock } from './virtual-clock.ts'
import {
  eventName,
  graphOf,
  machineOf,
  outsideEvents,
  recorderOf,
  serializeState,
  shortestWays,
  type Edge,
  type Graph,
  type OutsideEvent,
  type RoleName,
} from './walks.ts'

/** What a test run must have seen at least: a chart that lost half its paths is no accident. */
const LEAST_PATHS: Readonly<Record<RoleName, number>> = { primary: 10_000, secondary: 2000 }

/**
 * The states where a primary waits for an operator can be reached from each of the many ways to claim, and would
 * multiply them. They are walked by the last test alone, from the shortest way there.
 */
const WALKED_APART: Readonly<Record<RoleName, RegExp>> = {
  primary: /^(halted|claiming\.(adopting|promising))/,
  secondary: /^$/,
}

type Way = readonly { readonly event: OutsideEvent; readonly to: string }[]

/** Follows a way; throws when the actor is elsewhere or a rule is broken. Returns the last step's actions. */
function follow(role: RoleName, start: string, way: Way): readonly string[] {
  const recorder = recorderOf(role, new VirtualClock())
  const watch = watcherOf(role)
  let from = recorder.state
  let actions = recorder.take()
  if (from !== start) throw new Error(`begins in ${from}, not in ${start}`)
  watch({ event: undefined, from: '', to: from, actions })
  try {
    for (const { event, to } of way) {
      actions = recorder.send(event)
      const reached = recorder.state
      if (reached !== to) throw new Error(`${from} --${event.type}--> ${reached}, not ${to}`)
      watch({ event, from, to, actions })
      from = to
    }
  } catch (error) {
    const trail = way.map(({ event }) => eventName(event)).join(' | ')
    throw new Error(`${(error as Error).message}\n  on the path ${trail}`, { cause: error })
  } finally {
    recorder.stop()
  }
  return actions
}

/** The events that lead from one state to another, by both. */
function bundlesOf(role: RoleName, graph: Graph): ReadonlyMap<string, readonly OutsideEvent[]> {
  const apart = WALKED_APART[role]
  const moving = graph.edges.filter(
    ({ from, to }) => from !== to && !apart.test(from) && !apart.test(to),
  )
  const bundles = new Map<string, OutsideEvent[]>()
  for (const { from, event, to } of moving) {
    const key = `${from} > ${to}`
    const bundle = bundles.get(key)
    if (bundle) bundle.push(event)
    else bundles.set(key, [event])
  }
  return bundles
}

/** Every simple path over one event a pair of states, as the names of the states that it visits. */
function simplePaths(role: RoleName, bundles: ReturnType<typeof bundlesOf>): string[][] {
  const first = new Set<string>()
  for (const [key, [event]] of bundles) first.add(`${key.split(' > ')[0]} ${JSON.stringify(event)}`)
  const paths = getSimplePaths(machineOf(role) as AnyActorLogic, {
    events: outsideEvents(role) as EventObject[],
    serializeState,
    serializeEvent: JSON.stringify,
    filterEvents: (state, event) => first.has(`${serializeState(state)} ${JSON.stringify(event)}`),
  })
  // The first step of a path is xstate's own start: its state is the one in which an actor begins.
  return paths.map(({ steps }) => steps.map((step) => serializeState(step.state)))
}

/** The paths that are not the beginning of another one. */
function wholePaths(paths: readonly string[][], states: readonly string[]): string[][] {
  const letters = new Map(states.map((state, index) => [state, String.fromCharCode(0x100 + index)]))
  const words = paths.map((path) => path.map((name) => letters.get(name)).join(''))
  const beginnings = new Set(words.map((word) => word.slice(0, -1)))
  return paths.filter((_, index) => !beginnings.has(words[index]))
}

describe.each<RoleName>(['primary', 'secondary'])('the %s', (role) => {
  const graph = graphOf(role)
  const bundles = bundlesOf(role, graph)
  const paths = simplePaths(role, bundles)
  const whole = wholePaths(paths, graph.states)
  const ends = [...new Set(whole.map((path) => path.at(-1) ?? ''))]

  test(`has ${paths.length} simple paths, ${whole.length} of them whole, to ${graph.states.length} states`, () => {
    expect(paths.length).toBeGreaterThan(LEAST_PATHS[role])
    const visited = new Set(whole.flat())
    const expected = graph.states.filter((state) => !WALKED_APART[role].test(state))
    expect([...visited].toSorted()).toEqual(expected.toSorted())
  })

  test.each(ends)('keeps its rules on every path that ends in %s', (end) => {
    for (const [index, path] of whole.entries()) {
      if (path.at(-1) !== end) continue
      const way = path.slice(1).map((to, at) => {
        const bundle = bundles.get(`${path[at]} > ${to}`)
        if (bundle === undefined) throw new Error(`no way from ${path[at]} to ${to}`)
        return { event: bundle[(index + at) % bundle.length], to }
      })
      expect(path[0]).toBe(graph.start)
      follow(role, graph.start, way)
    }
  })

  test(`keeps its rules for each of ${outsideEvents(role).length} events in every state`, () => {
    const ways = shortestWays(graph)
    const lead = (way: readonly OutsideEvent[]) => {
      const steps: { event: OutsideEvent; to: string }[] = []
      let at = graph.start
      for (const event of way) {
        at = graph.edges.find((edge) => edge.from === at && edge.event === event)?.to ?? ''
        steps.push({ event, to: at })
      }
      return steps
    }
    const followed: Edge[] = []
    for (const edge of graph.edges) {
      const way = [...lead(ways.get(edge.from) ?? []), { event: edge.event, to: edge.to }]
      follow(role, graph.start, way)
      followed.push(edge)
    }
    expect(followed.length).toBe(graph.states.length * outsideEvents(role).length)
  })
})
