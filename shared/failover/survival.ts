// Who goes on: one truth table. From inside, a partition and a crash look the same, so no side ever decides by
// what it hears of its peer; it decides by what the witness says, and this table is the only place where that
// is judged. A row holds at one moment of a side's life and fires when all of its guards hold; the first row
// that fires gives the verdict; where none fires the verdict is `lost`. (The numbers in brackets are the rules
// of docs/protocol.md, "Failover".)

import type { Role } from '../protocol/messages.ts'
import type { Generation, Incarnation, Register } from '../protocol/register.ts'

/**
 * start: a side begins its life. claim: a secondary lost its session and looks whether it may claim.
 * claimed: an answer to writing alone(me). paired: an answer to writing pair(me, S, session).
 * halted: a side that holds nothing looks who could still own the guest.
 */
export type Moment = 'start' | 'claim' | 'claimed' | 'paired' | 'halted'

/**
 * found: write alone(me), begin cold. join: become a fresh secondary. backwards: the witness is older than
 * this side. claim: write alone(me) from the register's generation. wait: keep the state, read again.
 * won: serve. again: claim from the register's generation. named: protected. retry: write the same again.
 * gone: everyone who held the guest is dead. lost: the other side has the guest.
 */
export type Verdict =
  | 'found'
  | 'join'
  | 'backwards'
  | 'claim'
  | 'wait'
  | 'won'
  | 'again'
  | 'named'
  | 'retry'
  | 'gone'
  | 'lost'

export interface Facts {
  /** What the witness holds; undefined if there is no register yet. */
  readonly register: Register | undefined
  readonly me: Incarnation
  /** What the daemon was told to be at its start. */
  readonly told: Role
  /** The newest generation that this side has seen, from its disk or in this life. */
  readonly seen: Generation
  /** The incarnation of the peer, as far as it is known to live. */
  readonly peer: Incarnation | undefined
  /** The session that this side was in: its number, its owner and the owner's generation at its start. */
  readonly session: number
  readonly sessionOwner: Incarnation | undefined
  readonly sessionGeneration: Generation
}

/** Mutable on purpose: the simulator takes one guard away at a time and demands that a seed finds it out. */
export const GUARDS = {
  isBehind: (f: Facts) => (f.register?.generation ?? 0) < f.seen,
  hasNoOwner: (f: Facts) => f.register === undefined || f.register.holder.kind === 'stopped',
  wasToldPrimary: (f: Facts) => f.told === 'primary',
  isAloneMe: (f: Facts) => f.register?.holder.kind === 'alone' && f.register.holder.owner === f.me,
  /** As it was when the session began: a newer generation of any kind has passed this side over. */
  isStillTheOwners: (f: Facts) =>
    f.register?.holder.kind === 'alone' &&
    f.register.holder.owner === f.sessionOwner &&
    f.register.generation === f.sessionGeneration,
  /** As the primary, whatever the session: an answer to a pair that was asked for may have been lost. */
  isPairOfMine: (f: Facts) =>
    f.register?.holder.kind === 'pair' && f.register.holder.primary === f.me,
  isPairOfMySession: (f: Facts) =>
    f.register?.holder.kind === 'pair' &&
    f.register.holder.primary === f.me &&
    f.register.holder.session === f.session,
  /** As the secondary, and of this session: the state of an earlier one is worth nothing. */
  isPairWithMe: (f: Facts) =>
    f.register?.holder.kind === 'pair' &&
    f.register.holder.secondary === f.me &&
    f.register.holder.session === f.session,
  /** Only a peer that has answered is known to live: without one nobody can be said to be dead. */
  isHeldByTheDead: (f: Facts) =>
    f.peer !== undefined &&
    holders(f.register).length > 0 &&
    !holders(f.register).some((one) => one === f.me || one === f.peer),
}

export type GuardName = keyof typeof GUARDS

interface Row {
  readonly at: Moment
  readonly when: readonly GuardName[]
  readonly gives: Verdict
}

export const SURVIVAL: readonly Row[] = [
  // [1] A register that is older than the disk is no judge.
  { at: 'start', when: ['isBehind'], gives: 'backwards' },
  { at: 'start', when: ['hasNoOwner', 'wasToldPrimary'], gives: 'found' },
  // [9] A pair or an owner of which nobody lives any more can't be joined.
  { at: 'start', when: ['isHeldByTheDead'], gives: 'gone' },
  { at: 'start', when: [], gives: 'join' },
  // [5] Only a pair that names this incarnation and this session lets a secondary claim ...
  { at: 'claim', when: ['isPairWithMe'], gives: 'claim' },
  // [9] ... one that was seeded and never named has nobody to wait for once the owner is dead ...
  { at: 'claim', when: ['isStillTheOwners', 'isHeldByTheDead'], gives: 'gone' },
  // [7] ... and until the owner has moved on it may still be named by a late write.
  { at: 'claim', when: ['isStillTheOwners'], gives: 'wait' },
  // [6] What the register says after this side has written alone(me).
  { at: 'claimed', when: ['isAloneMe'], gives: 'won' },
  { at: 'claimed', when: ['isPairOfMine'], gives: 'again' },
  { at: 'claimed', when: ['isPairWithMe'], gives: 'again' },
  // [3] What it says after this side has written the pair.
  { at: 'paired', when: ['isPairOfMySession'], gives: 'named' },
  { at: 'paired', when: ['isAloneMe'], gives: 'retry' },
  // [9] A side that halted looks whether there is somebody to join.
  { at: 'halted', when: ['isBehind'], gives: 'backwards' },
  { at: 'halted', when: ['isHeldByTheDead'], gives: 'gone' },
  { at: 'halted', when: [], gives: 'join' },
]

/** The first row of this moment whose guards all hold; `lost` if there is none. */
export function judge(at: Moment, facts: Facts): Verdict {
  const row = SURVIVAL.find((one) => one.at === at && one.when.every((name) => GUARDS[name](facts)))
  return row?.gives ?? 'lost'
}

/** Everyone who holds the guest's state by right of the register. */
export function holders(register: Register | undefined): readonly Incarnation[] {
  const holder = register?.holder
  if (holder?.kind === 'alone') return [holder.owner]
  if (holder?.kind === 'pair') return [holder.primary, holder.secondary]
  return []
}
