// Reads a statechart's configuration into plain rows, for the diagram and the table of docs/statecharts. Nothing
// is drawn that the machine does not say.

import type { AnyStateMachine, AnyStateNode } from 'xstate'

export interface ChartTransition {
  readonly from: string
  /** `peer.vmstate-received`, `after replyTimeoutMs`, `all regions done`. */
  readonly on: string
  readonly guard: string
  /** Empty: the state stays as it is. */
  readonly to: string
  readonly isEntered: boolean
  readonly actions: readonly string[]
}

export interface ChartState {
  readonly path: string
  readonly key: string
  readonly depth: number
  readonly kind: string
  readonly initial: string
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  readonly children: readonly ChartState[]
  readonly transitions: readonly ChartTransition[]
}

interface ActionLike {
  readonly type?: string
  readonly params?: { readonly detail?: string; readonly delay?: string }
  readonly event?: { readonly type?: string; readonly delay?: unknown }
  readonly id?: string
}

/** `endSession(replyTimeoutMs)`, `raise checkpoint.committed`; xstate's own timers are not told. */
function actionName(action: unknown): string | undefined {
  if (typeof action === 'string') return action
  const { type, params, event } = action as ActionLike
  if (type === 'xstate.cancel') return undefined
  if (type === 'xstate.raise') {
    return event?.type === undefined || event.type.startsWith('xstate.')
      ? undefined
      : `raise ${event.type}`
  }
  const detail = params?.detail ?? params?.delay
  return detail === undefined ? type : `${type}(${detail})`
}

const names = (actions: readonly unknown[]) =>
  actions.map(actionName).filter((name) => name !== undefined)

const pathOf = (node: AnyStateNode) => node.path.join('.')

function eventName(type: string): string {
  const [, delay] = /^xstate\.after\.(\w+)\./.exec(type) ?? []
  if (delay !== undefined) return `after ${delay}`
  return type.startsWith('xstate.done.state.') ? 'all regions done' : type
}

function transitionsOf(node: AnyStateNode): ChartTransition[] {
  const own = [...node.transitions.values()].flat()
  return own.map((transition) => ({
    from: pathOf(node),
    on: eventName(transition.eventType),
    guard: typeof transition.guard === 'string' ? transition.guard : '',
    to: (transition.target ?? []).map(pathOf).join(', '),
    isEntered: transition.reenter,
    actions: names(transition.actions),
  }))
}

function readState(node: AnyStateNode): ChartState {
  const initial = node.type === 'compound' ? (node.initial.target[0]?.key ?? '') : ''
  return {
    path: pathOf(node),
    key: node.key,
    depth: node.path.length,
    kind: node.type,
    initial,
    entry: names(node.entry),
    exit: names(node.exit),
    children: Object.values(node.states).map(readState),
    transitions: transitionsOf(node),
  }
}

export function readChart(machine: AnyStateMachine): ChartState {
  return readState(machine.root)
}

export function statesBelow(state: ChartState): ChartState[] {
  return [state, ...state.children.flatMap(statesBelow)]
}
