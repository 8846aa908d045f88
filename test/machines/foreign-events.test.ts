// Unhandled events vanish in silence in xstate, so silence is tested for: whatever the peer says that a state
// does not wait for must end in `protocolViolation` and change nothing else, in every state that can be reached.
// And the two events that may come at any time, the end of a session and the death of the guest, have an
// outcome in every state, which is reviewed as a table: test/scenarios/endings.txt.

import { describe, expect, test } from 'vitest'
import { expectReviewed } from './reviewed.ts'
import { VirtualClock } from './virtual-clock.ts'
import {
  eventName,
  graphOf,
  outsideEvents,
  peerEvents,
  recorderOf,
  shortestWays,
  type OutsideEvent,
  type RoleName,
} from './walks.ts'

/** Which word of the peer each state waits for: everything else in it is foreign. */
const EXPECTED: Readonly<Record<RoleName, readonly (readonly [state: RegExp, word: string])[]>> = {
  primary: [
    [/round: (requesting|awaitingReply)/, 'peer.checkpoint-reply'],
    [/round: awaitingReceived/, 'peer.vmstate-received'],
    [/round: awaitingLoaded/, 'peer.vmstate-loaded'],
  ],
  secondary: [
    [/round: idle/, 'peer.checkpoint-request'],
    [/round: (seeding|suspended)/, 'peer.vmstate-send'],
    [/round: receiving/, 'peer.vmstate-end'],
  ],
}

const ENDINGS: Readonly<Record<RoleName, readonly string[]>> = {
  primary: ['session.ended', 'guest.died'],
  secondary: ['session.ended', 'guest.died'],
}

interface Outcome {
  readonly actions: readonly string[]
  readonly to: string
}

function outcomeOf(role: RoleName, way: readonly OutsideEvent[], event: OutsideEvent): Outcome {
  const recorder = recorderOf(role, new VirtualClock())
  for (const step of way) recorder.send(step)
  const actions = recorder.send(event)
  const to = recorder.state
  recorder.stop()
  return { actions, to }
}

const byState = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) =>
  one < other ? -1 : 1

function endingsOf(role: RoleName): string[] {
  const ways = shortestWays(graphOf(role))
  const events = outsideEvents(role).filter(({ type }) => ENDINGS[role].includes(type))
  return events.flatMap((event) => {
    const lines = [...ways].toSorted(byState).map(([state, way]) => {
      const { actions, to } = outcomeOf(role, way, event)
      const target = to === state && actions.length === 0 ? 'nothing' : to
      const what = actions.length > 0 ? `: ${actions.join(', ')}` : ''
      return `  ${state} -> ${target}${what}`
    })
    return [`${role}, ${eventName(event)}`, ...lines, '']
  })
}

describe.each<RoleName>(['primary', 'secondary'])('the %s', (role) => {
  const ways = [...shortestWays(graphOf(role))]

  test('knows every word of the peer that some state waits for', () => {
    const expected = new Set(EXPECTED[role].map(([, word]) => word))
    expect(peerEvents(role).map(({ type }) => type)).toEqual(expect.arrayContaining([...expected]))
    expect(peerEvents(role)).toHaveLength(expected.size)
  })

  test.each(ways.map(([state, way]) => ({ state, way })))('in $state', ({ state, way }) => {
    for (const event of peerEvents(role)) {
      const isExpected = EXPECTED[role].some(([at, word]) => word === event.type && at.test(state))
      const { actions, to } = outcomeOf(role, way, event)
      if (isExpected) expect(actions, event.type).not.toContain('protocolViolation')
      else
        expect({ event, actions, to }).toEqual({ event, actions: ['protocolViolation'], to: state })
    }
    const unknown = outcomeOf(role, way, { type: 'peer.nonsense' })
    expect(unknown).toEqual({ actions: ['protocolViolation'], to: state })
  })
})

test('the end of a session and of the guest have the reviewed outcome in every state', () => {
  expectReviewed(
    'test/scenarios/endings.txt',
    [...endingsOf('primary'), ...endingsOf('secondary')].join('\n'),
  )
})
