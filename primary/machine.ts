// The statechart of the side that owns the guest: only names and their order. It is entered as `standalone`,
// because ownership is always won first (secondary/machine.ts), and left through `leaving`, after which this
// side is a fresh secondary. Nothing here knows a socket, a clock or a guest: effects.ts binds the names.
//
// Two regions run side by side while there is a session. `round` is the checkpoint under way, in the words of
// docs/protocol.md. `standing` is what the witness knows of the pair: an owner that has not asked it for the
// pair yet goes back to free release when a session ends; one that has asked must claim.
//
// The two waits of `requesting` are spelled out as states, not as a parallel state, because every region and every
// `after` of a statechart costs microseconds that a client waits for.
//
// What the peer says arrives as `peer.<word>`. A word that the state does not wait for reaches the root and is
// a protocol violation there; nothing is ignored in silence.

import { raise, setup } from 'xstate'
import { delaysWith, machineDelays, type DelayName } from '../shared/protocol/delays.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'

export type PrimaryEvent =
  | { type: 'session.opened' }
  | { type: 'session.ended' }
  | { type: 'register.doubted' }
  | { type: 'checkpoint.due' }
  | { type: 'guest.captured' }
  | { type: 'guest.died' }
  | { type: 'deadline.passed' }
  | { type: 'vmstate.sent' }
  | { type: 'peer.checkpoint-reply' }
  | { type: 'peer.vmstate-received' }
  | { type: 'peer.vmstate-loaded' }
  | { type: 'checkpoint.committed' }
  | { type: 'witness.named' }
  | { type: 'witness.won' }
  | { type: 'witness.again' }
  | { type: 'witness.retry' }
  | { type: 'witness.own' }
  | { type: 'witness.behind' }
  | { type: 'witness.superseded' }
  | { type: 'witness.lost' }
  | { type: 'witness.unreachable' }
  | { type: 'operator.hand-over' }
  | { type: 'adoption.begun' }
  | { type: 'adoption.won' }
  | { type: 'adoption.failed' }
  | { type: 'adoption.asked' }
  | { type: 'adoption.over' }
  | { type: 'adoption.lost' }
  | { type: 'control.left' }

/** What ends a session from within: the code and detail that the log and the failover row show. */
export interface EndSession {
  readonly code: ErrorCode
  readonly detail: string
}

export const PRIMARY_ACTIONS = [
  'releaseFreely',
  'captureAll',
  'captureDirty',
  'armTrigger',
  'awaitNothing',
  'sendRequest',
  'noteReply',
  'sendCaptured',
  'sendVmstate',
  'noteSent',
  'releaseCommitted',
  'finishCheckpoint',
  'writePair',
  'announcePair',
  'holdAll',
  'writeAlone',
  'readRegister',
  'readOwned',
  'writeForward',
  'standDown',
  'stopAsking',
  'yieldSession',
  'leave',
  'tellGuestDied',
  'tellClaimLost',
  'tellBehind',
  'guestTooSlow',
  'protocolViolation',
] as const

export type PrimaryAction = (typeof PRIMARY_ACTIONS)[number]

const unbound = (name: string) => (): never => {
  throw new Error(`${name} is not bound: see effects.ts`)
}

const base = setup({
  types: { events: {} as PrimaryEvent },
  actions: {
    ...(Object.fromEntries(
      PRIMARY_ACTIONS.map((name) => [name, unbound(name)]),
    ) as unknown as Record<PrimaryAction, () => void>),
    endSession: (_: unknown, _params: EndSession) => unbound('endSession')(),
    await: (_: unknown, _params: { readonly delay: DelayName }) => unbound('await')(),
  },
  delays: machineDelays(delaysWith()),
})

/** The round passes through its waits hundreds of times a second: they share one timer (shared/role/deadline.ts). */
const awaiting = (delay: DelayName) => ({ type: 'await', params: { delay } }) as const

const missed = (detail: string) =>
  ({ type: 'endSession', params: { code: 'deadline-missed', detail } }) as const

export const primaryMachine = base.createMachine({
  id: 'primary',
  initial: 'standalone',
  on: {
    'peer.*': { actions: 'protocolViolation' },
    'guest.died': { target: '.leaving', actions: 'tellGuestDied' },
  },
  states: {
    standalone: {
      entry: 'releaseFreely',
      initial: 'serving',
      on: { 'session.opened': 'session' },
      states: {
        serving: {
          on: { 'register.doubted': 'checking' },
          after: { registerCheckMs: 'checking' },
        },
        checking: {
          entry: 'readOwned',
          exit: 'stopAsking',
          on: {
            'witness.own': 'serving',
            'witness.behind': 'repairing',
            'witness.superseded': '#primary.halted',
            'witness.unreachable': 'serving',
          },
          after: { witnessTimeoutMs: 'serving' },
        },
        repairing: {
          entry: ['tellBehind', 'writeForward'],
          exit: 'stopAsking',
          on: {
            'witness.own': 'serving',
            'witness.behind': 'serving',
            'witness.superseded': '#primary.halted',
            'witness.unreachable': 'serving',
          },
          after: { witnessTimeoutMs: 'serving' },
        },
      },
    },

    session: {
      type: 'parallel',
      exit: 'awaitNothing',
      states: {
        round: {
          initial: 'verifying',
          states: {
            // Once the seed is captured output is held: an owner begins that only while the register is its own.
            verifying: {
              entry: 'readOwned',
              exit: 'stopAsking',
              on: {
                'witness.own': 'seeding',
                'witness.behind': {
                  actions: {
                    type: 'endSession',
                    params: {
                      code: 'witness-went-backwards',
                      detail: 'the register is put right first',
                    },
                  },
                },
                'witness.superseded': '#primary.halted',
                'witness.unreachable': 'unverified',
              },
              after: { witnessTimeoutMs: 'unverified' },
            },
            unverified: { after: { witnessBackOffMs: 'verifying' } },
            seeding: {
              entry: ['captureAll', awaiting('suspendTimeoutMs')],
              on: {
                'guest.captured': 'sending',
                'deadline.passed': { actions: 'guestTooSlow' },
              },
            },
            idle: {
              entry: ['awaitNothing', 'armTrigger'],
              on: { 'checkpoint.due': 'requesting' },
            },
            requesting: {
              entry: ['sendRequest', 'captureDirty', awaiting('replyTimeoutMs')],
              on: {
                'guest.captured': 'awaitingReply',
                'peer.checkpoint-reply': {
                  target: 'awaitingCapture',
                  actions: ['noteReply', 'sendCaptured'],
                },
                'deadline.passed': { actions: missed('replyTimeoutMs') },
              },
            },
            awaitingReply: {
              on: {
                'peer.checkpoint-reply': { target: 'sending', actions: 'noteReply' },
                'deadline.passed': { actions: missed('replyTimeoutMs') },
              },
            },
            awaitingCapture: {
              entry: awaiting('suspendTimeoutMs'),
              on: {
                'guest.captured': 'sending',
                'deadline.passed': { actions: 'guestTooSlow' },
              },
            },
            sending: {
              entry: ['sendVmstate', awaiting('sendTimeoutMs')],
              on: {
                'vmstate.sent': { target: 'awaitingReceived', actions: 'noteSent' },
                'deadline.passed': { actions: missed('sendTimeoutMs') },
              },
            },
            awaitingReceived: {
              entry: awaiting('receivedTimeoutMs'),
              on: {
                'peer.vmstate-received': {
                  target: 'awaitingLoaded',
                  actions: ['releaseCommitted', raise({ type: 'checkpoint.committed' })],
                },
                'deadline.passed': { actions: missed('receivedTimeoutMs') },
              },
            },
            awaitingLoaded: {
              entry: awaiting('loadedTimeoutMs'),
              on: {
                'peer.vmstate-loaded': { target: 'idle', actions: 'finishCheckpoint' },
                'deadline.passed': { actions: missed('loadedTimeoutMs') },
              },
            },
          },
        },

        standing: {
          initial: 'unasked',
          states: {
            unasked: {
              on: {
                'checkpoint.committed': 'asking',
                'session.ended': '#primary.standalone.checking',
              },
            },
            asking: {
              entry: 'writePair',
              exit: 'stopAsking',
              on: {
                'witness.named': 'named',
                'witness.retry': 'askingAgain',
                'witness.unreachable': 'askingAgain',
                'witness.superseded': '#primary.halted',
                'witness.lost': { target: '#primary.leaving', actions: 'tellClaimLost' },
                'session.ended': '#primary.claiming',
              },
              after: { witnessTimeoutMs: 'askingAgain' },
            },
            askingAgain: {
              on: { 'session.ended': '#primary.claiming' },
              after: { witnessBackOffMs: 'asking' },
            },
            named: {
              entry: 'announcePair',
              on: {
                'session.ended': '#primary.claiming',
                'operator.hand-over': '#primary.yielding',
              },
            },
          },
        },
      },
    },

    claiming: {
      entry: 'holdAll',
      initial: 'writing',
      on: { 'adoption.begun': '.adopting', 'adoption.asked': '.promising' },
      states: {
        writing: {
          entry: 'writeAlone',
          exit: 'stopAsking',
          on: {
            'witness.won': '#primary.standalone',
            'witness.again': { target: 'writing', reenter: true },
            'witness.lost': { target: '#primary.leaving', actions: 'tellClaimLost' },
            'witness.superseded': '#primary.halted',
            'witness.unreachable': 'waiting',
          },
          after: { witnessTimeoutMs: 'waiting' },
        },
        waiting: { after: { witnessBackOffMs: 'writing' } },
        // An operator's verb writes the register in place of the statechart (side/adoption.ts).
        adopting: {
          on: { 'adoption.won': '#primary.standalone', 'adoption.failed': 'writing' },
        },
        // The operator's verb of the other side is under way: this side claims nothing until it has ended.
        promising: {
          on: { 'adoption.over': 'writing', 'adoption.lost': '#primary.leaving' },
          after: { adoptionTimeoutMs: 'writing' },
        },
      },
    },

    yielding: {
      entry: ['yieldSession', 'holdAll'],
      initial: 'reading',
      on: { 'control.left': 'claiming' },
      after: { yieldTimeoutMs: 'claiming' },
      states: {
        reading: {
          entry: 'readRegister',
          exit: 'stopAsking',
          on: {
            'witness.again': 'waiting',
            'witness.won': '#primary.standalone',
            'witness.lost': '#primary.leaving',
            'witness.superseded': '#primary.halted',
            'witness.unreachable': 'waiting',
          },
          after: { witnessTimeoutMs: 'waiting' },
        },
        waiting: { after: { witnessRetryMs: 'reading' } },
      },
    },

    // The register names somebody else, and not by a claim of the secondary: only an operator can tell which
    // guest is right. The state is kept, and nobody is served.
    halted: {
      entry: 'standDown',
      initial: 'resting',
      states: {
        resting: { on: { 'adoption.begun': 'adopting', 'adoption.asked': 'promising' } },
        adopting: {
          on: { 'adoption.won': '#primary.standalone', 'adoption.failed': 'resting' },
        },
        promising: {
          on: { 'adoption.over': 'resting', 'adoption.lost': '#primary.leaving' },
          after: { adoptionTimeoutMs: 'resting' },
        },
      },
    },

    leaving: { entry: 'leave', on: { 'guest.died': {} } },
  },
})
