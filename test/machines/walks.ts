// How the tests walk the two statecharts: which events each can get from outside, what graph they span, and an
// actor whose actions only note their names. Actions raise `checkpoint.committed` themselves and xstate makes
// its own `xstate.done.state.*`, so neither is sent from outside; `xstate.after.*` are sent as such.

import { createActor, type AnyStateMachine, type EventObject } from 'xstate'
import { getAdjacencyMap } from 'xstate/graph'
import { PRIMARY_ACTIONS, primaryMachine } from '../../primary/machine.ts'
import { SECONDARY_ACTIONS, secondaryMachine } from '../../secondary/machine.ts'
import { Deadline } from '../../shared/role/deadline.ts'
import type { Clock } from '../../shared/ports.ts'
import { delaysWith, type DelayName } from '../../shared/protocol/delays.ts'

export type RoleName = 'primary' | 'secondary'

/** `stalled` tells the guard of the same name what to say. */
export interface OutsideEvent extends EventObject {
  readonly yields?: boolean
  readonly stalled?: boolean
}

const isStalled = {
  hasStalled: ({ event }: { event: EventObject }) => 'stalled' in event && event.stalled === true,
}

const machines: Readonly<Record<RoleName, AnyStateMachine>> = {
  primary: primaryMachine,
  secondary: secondaryMachine.provide({ guards: isStalled }),
}

export const actionNames: Readonly<Record<RoleName, readonly string[]>> = {
  primary: [...PRIMARY_ACTIONS, 'endSession', 'await'],
  secondary: [...SECONDARY_ACTIONS, 'endSession', 'await'],
}

export function machineOf(role: RoleName): AnyStateMachine {
  return machines[role]
}

const RAISED = ['checkpoint.committed']

/** Every event that can come from outside, with each of its payloads that matter. */
export function outsideEvents(role: RoleName): readonly OutsideEvent[] {
  const types = machines[role].events.filter(
    (type) => !type.startsWith('xstate.done.') && !type.endsWith('*') && !RAISED.includes(type),
  )
  return types.flatMap((type): OutsideEvent[] => {
    if (role === 'primary') return [{ type }]
    if (type === 'session.ended') return [true, false].map((yields) => ({ type, yields }))
    return type === 'deadline.passed'
      ? [true, false].map((stalled) => ({ type, stalled }))
      : [{ type }]
  })
}

export const peerEvents = (role: RoleName): readonly OutsideEvent[] =>
  outsideEvents(role).filter(({ type }) => type.startsWith('peer.'))

export interface Recorder {
  readonly state: string
  /** Sends one event; returns the actions that it caused, in order. */
  send(event: OutsideEvent): readonly string[]
  /** The actions since the last send or take. */
  take(): readonly string[]
  stop(): void
}

interface Params {
  readonly detail?: string
  readonly delay?: DelayName
}

interface Notes {
  readonly actions: string[]
  readonly deadline: Deadline
}

/** What each actor's actions noted. The machines are made once: providing actions builds every state anew. */
const notes = new WeakMap<object, Notes>()

function recordingMachine(role: RoleName): AnyStateMachine {
  const note = (name: string) => (at: { self: object }, params: Params | undefined) => {
    const detail = params?.delay ?? params?.detail
    const noted = notes.get(at.self)
    noted?.actions.push(detail === undefined ? name : `${name}(${detail})`)
    if (params?.delay) noted?.deadline.set(params.delay)
    if (name === 'awaitNothing') noted?.deadline.clear()
  }
  const actions = Object.fromEntries(actionNames[role].map((name) => [name, note(name)]))
  return machines[role].provide({ actions })
}

const recording: Readonly<Record<RoleName, AnyStateMachine>> = {
  primary: recordingMachine('primary'),
  secondary: recordingMachine('secondary'),
}

/** A fresh actor whose actions note their names, and whose waits run on the clock. */
export function recorderOf(role: RoleName, clock: Clock): Recorder {
  const actor = createActor(recording[role], { clock })
  const actions: string[] = []
  const deadline = new Deadline(clock, delaysWith(), () =>
    actor.send({ type: 'deadline.passed', stalled: true }),
  )
  notes.set(actor, { actions, deadline })
  actor.start()
  const take = () => actions.splice(0)
  return {
    get state() {
      return stateName(actor.getSnapshot().value)
    },
    send(event) {
      take()
      actor.send(event)
      return take()
    },
    take,
    stop: () => actor.stop(),
  }
}

/** One short line a state: `session(round: idle, standing: named)`, `claiming.writing`. */
export function stateName(value: unknown): string {
  if (typeof value === 'string') return value
  const regions = Object.entries(value as Record<string, unknown>)
  if (regions.length > 1) {
    return `(${regions.map(([name, inner]) => `${name}: ${stateName(inner)}`).join(', ')})`
  }
  const [name, inner] = regions[0]
  const rest = stateName(inner)
  return rest.startsWith('(') ? `${name}${rest}` : `${name}.${rest}`
}

/** One line an event: its type and what it carries. */
export function eventName(event: OutsideEvent): string {
  const { type, yields, stalled } = event
  const short = type.replace(/^xstate\.after\.(\w+)\..*$/, 'after $1')
  if (yields !== undefined) return `${short}, ${yields ? 'the peer yields' : 'unwanted'}`
  if (stalled !== undefined) return `${short}, ${stalled ? 'stalled' : 'going on'}`
  return short
}

export interface Edge {
  readonly from: string
  readonly event: OutsideEvent
  readonly to: string
}

export interface Graph {
  readonly start: string
  readonly states: readonly string[]
  /** Every event in every state, also those that change nothing. */
  readonly edges: readonly Edge[]
}

interface GraphStep {
  readonly event: OutsideEvent
  readonly state: unknown
}

export const serializeState = (snapshot: unknown) =>
  stateName((snapshot as { value: unknown }).value)

export function graphOf(role: RoleName): Graph {
  const map = getAdjacencyMap(machines[role], {
    events: outsideEvents(role),
    serializeState,
    serializeEvent: JSON.stringify,
  })
  const edges: Edge[] = []
  for (const [from, { transitions }] of Object.entries(map)) {
    for (const { event, state } of Object.values<GraphStep>(transitions)) {
      edges.push({ from, event, to: serializeState(state) })
    }
  }
  const states = Object.keys(map)
  return { start: states[0], states, edges }
}

/** The shortest way to each state, as events. */
export function shortestWays(graph: Graph): ReadonlyMap<string, readonly OutsideEvent[]> {
  const ways = new Map<string, readonly OutsideEvent[]>([[graph.start, []]])
  for (const [state, way] of ways) {
    for (const { from, event, to } of graph.edges) {
      if (from === state && !ways.has(to)) ways.set(to, [...way, event])
    }
  }
  return ways
}
