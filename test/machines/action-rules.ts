// The rules that the actions of both statecharts keep on every way through them, in plain code beside the
// charts: a watcher is told each step (the event, the states, the actions that it caused) and throws at the
// first one that breaks a rule. The rules are those of docs/protocol.md, restated, not derived.

import type { OutsideEvent, RoleName } from './walks.ts'

export interface Step {
  readonly event: OutsideEvent | undefined
  readonly from: string
  readonly to: string
  readonly actions: readonly string[]
}

function must(holds: boolean, rule: string, step: Step): void {
  if (holds) return
  const { event, from, to, actions } = step
  throw new Error(
    `${rule}\n  in ${from} --${event?.type ?? 'start'}--> ${to}\n  actions: ${actions.join(', ')}`,
  )
}

/** Where an answer of the witness is waited for. */
const ASKING: Readonly<Record<RoleName, RegExp>> = {
  primary:
    /standing: asking\)|round: verifying|^(claiming\.writing|yielding\.reading|standalone\.(checking|repairing))$/,
  secondary: /^(connecting|claiming|halted|startingOver)\.reading$|^(founding|claiming)\.writing$/,
}

function watchQuestions(role: RoleName): Watcher {
  return (step) => {
    const hasLeft = step.from !== step.to && ASKING[role].test(step.from)
    if (!hasLeft || (ASKING[role].test(step.to) && role === 'primary')) return
    must(step.actions.includes('stopAsking'), 'a question is given up with its state', step)
  }
}

/** What ends the ownership of a side. */
const LOST = ['witness.lost', 'adoption.lost', 'guest.died']

type Watcher = (step: Step) => void

/** What has happened on the way so far, and what each action demands of it. */
function watchPrimary(): Watcher {
  let committed = false
  let asked = false
  let captured = false
  let replied = false
  return (step) => {
    const { event, from, to } = step
    const on = (type: string) => event?.type === type
    if (on('witness.won') || on('adoption.won')) asked = false
    if (on('session.opened') && to.startsWith('session')) committed = false
    if (on('guest.captured')) captured = true
    if (on('peer.checkpoint-reply')) replied = true
    for (const action of step.actions) {
      switch (action) {
        case 'releaseFreely':
          must(to.startsWith('standalone'), 'releaseFreely only in standalone', step)
          must(!asked, 'no releaseFreely after asking for the pair without a won claim', step)
          break
        case 'releaseCommitted':
          must(on('peer.vmstate-received'), 'releaseCommitted only by vmstate-received', step)
          must(from.includes('awaitingReceived'), 'releaseCommitted only once all was sent', step)
          committed = true
          break
        case 'captureAll':
          ;[captured, replied] = [false, true]
          break
        case 'sendRequest':
          must(on('checkpoint.due'), 'a request only when a checkpoint is due', step)
          break
        case 'captureDirty':
          ;[captured, replied] = [false, false]
          break
        case 'await(suspendTimeoutMs)':
        case 'guestTooSlow':
          must(!captured, 'only a guest that is not captured yet is waited for', step)
          break
        case 'sendVmstate':
          must(captured && replied, 'sendVmstate only once captured and replied to', step)
          break
        case 'finishCheckpoint':
          must(on('peer.vmstate-loaded'), 'finishCheckpoint only by vmstate-loaded', step)
          must(committed, 'finishCheckpoint only after a commit', step)
          break
        case 'writePair':
          must(committed, 'writePair only after a committed checkpoint of this session', step)
          asked = true
          break
        case 'announcePair':
          must(on('witness.named'), 'announcePair only once the witness has named the pair', step)
          break
        case 'writeAlone':
          must(to.startsWith('claiming'), 'writeAlone only while claiming', step)
          break
        case 'yieldSession':
          must(on('operator.hand-over'), 'a session is yielded only by request', step)
          must(from.includes('standing: named'), 'only a protected pair is handed over', step)
          break
        case 'leave':
          must(LOST.some(on), 'a side leaves only when it lost', step)
          break
        case 'armTrigger':
          must(to.includes('round: idle'), 'the trigger is armed only between checkpoints', step)
          break
        case 'protocolViolation':
          must(event?.type.startsWith('peer.') ?? false, 'only the peer violates', step)
          break
      }
    }
    if (from.startsWith('session') && !to.startsWith('session')) {
      must(step.actions.includes('awaitNothing'), 'no wait of a round outlives its session', step)
    }
    const held = to.startsWith('claiming') || to.startsWith('yielding')
    const wasHeld = from.startsWith('claiming') || from.startsWith('yielding')
    if (held && !wasHeld) must(step.actions.includes('holdAll'), 'a claim holds first', step)
  }
}

function watchSecondary(): Watcher {
  let committed = false
  let won = false
  let lives = 0
  return (step) => {
    const { event, from, to } = step
    const on = (type: string) => event?.type === type
    const isColdStart = on('witness.own') && from.startsWith('startingOver')
    if (on('witness.won') || on('adoption.won') || isColdStart) won = true
    step.actions.forEach((action, index) => {
      const after = step.actions[index + 1]
      switch (action) {
        case 'forget':
          must(to.startsWith('connecting'), 'only a side that begins anew forgets', step)
          ;[committed, won, lives] = [false, false, lives + 1]
          break
        case 'openSession':
          must(on('session.opened'), 'a session is opened by its channel', step)
          ;[committed, won] = [false, false]
          break
        case 'sendReply':
          must(on('peer.checkpoint-request'), 'a reply only to a request', step)
          break
        case 'commit':
          must(on('peer.vmstate-end'), 'commit only by a whole checkpoint', step)
          must(from.includes('round: receiving'), 'commit only what was received', step)
          must(after === 'apply', 'what is committed is applied at once', step)
          committed = true
          break
        case 'apply':
          must(committed, 'only what is committed is applied', step)
          break
        case 'sendLoaded':
          must(on('vmstate.applied') && committed, 'sendLoaded only after commit and apply', step)
          break
        case 'loadGuest':
          must(won, 'a guest is loaded only after the witness granted the claim', step)
          must(committed, 'a guest is loaded only from a committed checkpoint', step)
          must(step.actions[index - 1] === 'promote', 'apply is finished before the load', step)
          break
        case 'startGuest':
          must(
            won && /^(founding|startingOver)/.test(from),
            'a cold guest only after founding',
            step,
          )
          break
        case 'becomePrimary':
          must(on('guest.running') && won, 'promoted only with a guest that runs by right', step)
          break
        case 'writeAlone': {
          const right = on('witness.claim') || on('witness.again')
          const again = from.startsWith('claiming.writing')
          must(right || again, 'a claim is written only by right of the register', step)
          must(committed, 'a claim is written only by a seeded side', step)
          break
        }
        case 'readToClaim':
          must(committed, 'only a seeded side looks whether it may claim', step)
          break
        case 'protocolViolation':
          must(event?.type.startsWith('peer.') ?? false, 'only the peer violates', step)
          break
      }
    })
    if (from.startsWith('session') && to.startsWith('claiming')) {
      must(step.actions.includes('closeSession'), 'the data channel is closed before a claim', step)
    }
    if (from.startsWith('session') && !to.startsWith('session')) {
      must(step.actions.includes('awaitNothing'), 'no wait of a round outlives its session', step)
    }
    if (to === 'loading' && from !== to) {
      must(step.actions.includes('loadGuest'), 'loading loads', step)
    }
  }
}

export function watcherOf(role: RoleName): Watcher {
  const watchers = [role === 'primary' ? watchPrimary() : watchSecondary(), watchQuestions(role)]
  return (step) => {
    for (const watch of watchers) watch(step)
  }
}
