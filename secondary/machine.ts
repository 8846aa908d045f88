// The statechart of the side that does not own the guest: only names and their order. Every side begins here,
// reads the register, and either joins the owner (`session`) or, if the pair has none and it was told to be
// the primary, founds it. Whoever wins the register leaves through `promoted` and is the primary from then on.
//
// Two regions run side by side while there is a session, as on the primary. `round` is the checkpoint under
// way. `standing` is what this side is worth to the pair: unseeded, it has nothing and may forget its peer;
// seeded, it may be all that is left, and when the session ends it asks the witness.
//
// What the peer says arrives as `peer.<word>`. A word that the state does not wait for reaches the root and is
// a protocol violation there; nothing is ignored in silence.

import { raise, setup } from 'xstate'
import { delaysWith, machineDelays, type DelayName } from '../shared/protocol/delays.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'

export type SecondaryEvent =
  | { type: 'session.opened' }
  | { type: 'session.ended'; yields: boolean }
  | { type: 'link.failed' }
  | { type: 'peer.checkpoint-request' }
  | { type: 'peer.vmstate-send' }
  | { type: 'peer.vmstate-end' }
  | { type: 'vmstate.applied' }
  | { type: 'deadline.passed' }
  | { type: 'checkpoint.committed' }
  | { type: 'control.named' }
  | { type: 'guest.running' }
  | { type: 'guest.died' }
  | { type: 'witness.found' }
  | { type: 'witness.join' }
  | { type: 'witness.backwards' }
  | { type: 'witness.gone' }
  | { type: 'witness.claim' }
  | { type: 'witness.wait' }
  | { type: 'witness.won' }
  | { type: 'witness.again' }
  | { type: 'witness.own' }
  | { type: 'witness.behind' }
  | { type: 'witness.superseded' }
  | { type: 'witness.lost' }
  | { type: 'witness.unreachable' }
  | { type: 'start-over.begun' }
  | { type: 'start-over.won' }
  | { type: 'start-over.failed' }
  | { type: 'adoption.begun' }
  | { type: 'adoption.won' }
  | { type: 'adoption.failed' }
  | { type: 'adoption.asked' }
  | { type: 'adoption.over' }
  | { type: 'adoption.lost' }

/** What ends a session from within: the code and detail that the log and the failover row show. */
export interface EndSession {
  readonly code: ErrorCode
  readonly detail: string
}

export const SECONDARY_ACTIONS = [
  'readAtStart',
  'stopAsking',
  'dialPeer',
  'hangUp',
  'writeFirst',
  'startGuest',
  'openSession',
  'awaitNothing',
  'sendReply',
  'watchProgress',
  'commit',
  'apply',
  'sendLoaded',
  'closeSession',
  'readToClaim',
  'writeAlone',
  'promote',
  'loadGuest',
  'tellClaimLost',
  'becomePrimary',
  'forget',
  'haltBackwards',
  'haltGone',
  'haltSuperseded',
  'doubtNewness',
  'awaitColdStart',
  'readCold',
  'readWhileHalted',
  'protocolViolation',
] as const

export type SecondaryAction = (typeof SECONDARY_ACTIONS)[number]

const unbound = (name: string) => (): never => {
  throw new Error(`${name} is not bound: see effects.ts`)
}

const base = setup({
  types: { events: {} as SecondaryEvent },
  actions: {
    ...(Object.fromEntries(
      SECONDARY_ACTIONS.map((name) => [name, unbound(name)]),
    ) as unknown as Record<SecondaryAction, () => void>),
    endSession: (_: unknown, _params: EndSession) => unbound('endSession')(),
    await: (_: unknown, _params: { readonly delay: DelayName }) => unbound('await')(),
  },
  guards: {
    hasStalled: unbound('hasStalled'),
    peerYields: ({ event }) => event.type === 'session.ended' && event.yields,
  },
  delays: machineDelays(delaysWith()),
})

/** The round passes through its waits hundreds of times a second: they share one timer (shared/role/deadline.ts). */
const awaiting = (delay: DelayName) => ({ type: 'await', params: { delay } }) as const

const missed = (detail: string) =>
  ({ type: 'endSession', params: { code: 'deadline-missed', detail } }) as const

export const secondaryMachine = base.createMachine({
  id: 'secondary',
  initial: 'connecting',
  on: { 'peer.*': { actions: 'protocolViolation' } },
  states: {
    connecting: {
      entry: 'forget',
      initial: 'reading',
      on: { 'start-over.begun': 'startingOver' },
      states: {
        reading: {
          entry: 'readAtStart',
          exit: 'stopAsking',
          on: {
            'witness.found': '#secondary.founding',
            'witness.join': 'dialling',
            'witness.backwards': { target: '#secondary.halted', actions: 'haltBackwards' },
            'witness.gone': { target: '#secondary.halted', actions: 'haltGone' },
            'witness.unreachable': 'resting',
          },
          after: { witnessTimeoutMs: 'resting' },
        },
        dialling: {
          entry: 'dialPeer',
          on: { 'session.opened': '#secondary.session', 'link.failed': 'resting' },
          after: { helloTimeoutMs: { target: 'resting', actions: 'hangUp' } },
        },
        resting: { after: { reconnectMs: 'reading' } },
      },
    },

    founding: {
      initial: 'writing',
      states: {
        writing: {
          entry: 'writeFirst',
          exit: 'stopAsking',
          on: {
            'witness.won': 'booting',
            'witness.again': '#secondary.connecting',
            'witness.lost': { target: '#secondary.connecting', actions: 'doubtNewness' },
            'witness.unreachable': 'waiting',
          },
          after: { witnessTimeoutMs: 'waiting' },
        },
        waiting: { after: { witnessBackOffMs: 'writing' } },
        booting: {
          entry: ['startGuest', awaiting('loadTimeoutMs')],
          exit: 'awaitNothing',
          on: {
            'guest.running': '#secondary.promoted',
            'guest.died': '#secondary.connecting',
            'deadline.passed': '#secondary.connecting',
          },
        },
      },
    },

    // An operator's start-over writes the register (side/start-over.ts). Then an owner that served by the register
    // before, and reaches the witness, is given the time to read that it is replaced.
    startingOver: {
      entry: 'hangUp',
      initial: 'writing',
      states: {
        writing: {
          on: { 'start-over.won': 'waiting', 'start-over.failed': '#secondary.connecting' },
        },
        waiting: { entry: 'awaitColdStart', after: { coldStartMs: 'reading' } },
        reading: {
          entry: 'readCold',
          exit: 'stopAsking',
          on: {
            'witness.own': '#secondary.founding.booting',
            'witness.behind': '#secondary.connecting',
            'witness.superseded': '#secondary.connecting',
            'witness.unreachable': 'readingAgain',
          },
          after: { witnessTimeoutMs: 'readingAgain' },
        },
        readingAgain: { after: { witnessBackOffMs: 'reading' } },
      },
    },

    session: {
      type: 'parallel',
      entry: 'openSession',
      exit: 'awaitNothing',
      states: {
        round: {
          initial: 'seeding',
          states: {
            seeding: {
              entry: awaiting('vmstateTimeoutMs'),
              on: {
                'peer.vmstate-send': 'receiving',
                'deadline.passed': { actions: missed('vmstateTimeoutMs') },
              },
            },
            idle: {
              entry: awaiting('requestTimeoutMs'),
              on: {
                'peer.checkpoint-request': 'suspended',
                'deadline.passed': { actions: missed('requestTimeoutMs') },
              },
            },
            suspended: {
              entry: ['sendReply', awaiting('vmstateTimeoutMs')],
              on: {
                'peer.vmstate-send': 'receiving',
                'deadline.passed': { actions: missed('vmstateTimeoutMs') },
              },
            },
            receiving: {
              entry: ['watchProgress', awaiting('vmstateTimeoutMs')],
              on: {
                'peer.vmstate-end': 'loading',
                // While bytes keep coming the wait begins anew.
                'deadline.passed': [
                  { guard: 'hasStalled', actions: missed('vmstateTimeoutMs') },
                  { target: 'receiving', reenter: true },
                ],
              },
            },
            loading: {
              entry: [
                awaiting('loadedTimeoutMs'),
                'commit',
                raise({ type: 'checkpoint.committed' }),
                'apply',
              ],
              on: {
                'vmstate.applied': { target: 'idle', actions: 'sendLoaded' },
                'deadline.passed': { actions: missed('loadedTimeoutMs') },
              },
            },
          },
        },

        standing: {
          initial: 'unseeded',
          states: {
            unseeded: {
              on: { 'checkpoint.committed': 'seeded', 'session.ended': '#secondary.connecting' },
            },
            seeded: {
              on: {
                'control.named': 'named',
                'session.ended': [
                  { guard: 'peerYields', target: '#secondary.claiming.reading' },
                  { target: '#secondary.claiming' },
                ],
              },
            },
            named: {
              on: {
                'session.ended': [
                  { guard: 'peerYields', target: '#secondary.claiming.reading' },
                  { target: '#secondary.claiming' },
                ],
              },
            },
          },
        },
      },
    },

    claiming: {
      entry: 'closeSession',
      initial: 'handicap',
      on: { 'adoption.begun': '.adopting', 'adoption.asked': '.promising' },
      states: {
        handicap: { after: { claimHandicapMs: 'reading' } },
        reading: {
          entry: 'readToClaim',
          exit: 'stopAsking',
          on: {
            'witness.claim': 'writing',
            'witness.wait': 'undecided',
            'witness.gone': { target: 'orphaned', actions: 'haltGone' },
            'witness.superseded': '#secondary.superseded',
            'witness.lost': { target: '#secondary.connecting', actions: 'tellClaimLost' },
            'witness.unreachable': 'waiting',
          },
          after: { witnessTimeoutMs: 'waiting' },
        },
        waiting: { after: { witnessBackOffMs: 'reading' } },
        writing: {
          entry: 'writeAlone',
          exit: 'stopAsking',
          on: {
            'witness.won': '#secondary.loading',
            'witness.again': 'reading',
            'witness.superseded': '#secondary.superseded',
            'witness.lost': { target: '#secondary.connecting', actions: 'tellClaimLost' },
            'witness.unreachable': 'writingAgain',
          },
          after: { witnessTimeoutMs: 'writingAgain' },
        },
        writingAgain: { after: { witnessBackOffMs: 'writing' } },
        // An operator's verb writes the register in place of the statechart (side/adoption.ts).
        adopting: {
          on: { 'adoption.won': '#secondary.loading', 'adoption.failed': 'reading' },
        },
        // The operator's verb of the other side is under way: this side claims nothing until it has ended.
        promising: {
          on: {
            'adoption.over': 'reading',
            'adoption.lost': { target: '#secondary.connecting', actions: 'tellClaimLost' },
          },
          after: { adoptionTimeoutMs: 'reading' },
        },
        undecided: {
          entry: 'dialPeer',
          on: { 'session.opened': '#secondary.session', 'link.failed': 'waiting' },
          after: { helloTimeoutMs: { target: 'waiting', actions: 'hangUp' } },
        },
        orphaned: { after: { haltedRecheckMs: 'reading' } },
      },
    },

    loading: {
      entry: ['promote', 'loadGuest', awaiting('loadTimeoutMs')],
      exit: 'awaitNothing',
      on: {
        'guest.running': 'promoted',
        'guest.died': 'connecting',
        'deadline.passed': 'connecting',
      },
    },

    promoted: { entry: 'becomePrimary' },

    // An operator began a cold guest elsewhere. The state of this side is older than that word, and is kept until
    // somebody restarts this side.
    superseded: { entry: 'haltSuperseded' },

    halted: {
      initial: 'resting',
      on: { 'start-over.begun': 'startingOver' },
      states: {
        resting: { after: { haltedRecheckMs: 'dialling' } },
        dialling: {
          entry: 'dialPeer',
          on: { 'session.opened': '#secondary.session', 'link.failed': 'reading' },
          after: { helloTimeoutMs: { target: 'reading', actions: 'hangUp' } },
        },
        reading: {
          entry: 'readWhileHalted',
          exit: 'stopAsking',
          on: {
            'witness.join': '#secondary.connecting',
            'witness.backwards': 'resting',
            'witness.gone': 'resting',
            'witness.unreachable': 'resting',
          },
          after: { witnessTimeoutMs: 'resting' },
        },
      },
    },
  },
})
