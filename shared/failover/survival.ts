// Who goes on: one truth table. From inside, a partition and a crash look the same, so no side ever decides by
// what it hears of its peer; it decides by what the witness says, and this table is the only place where that
// is judged. A row holds at one moment of a side's life and fires when all of its guards hold; the first row
// that fires gives the verdict; where none fires the verdict is `lost`. (The numbers in brackets are the rules
// of docs/protocol.md, "Failover".)
//
// Rule 11 is asked before every other rule: a register that is missing, older, foreign or of another line
// decides nothing. So each moment of a side that holds the guest begins with `isUntrusted`, and a missed
// answer can never pass for a verdict.

import type { Role } from '../protocol/words.ts'
import type { Incarnation, Register, Standing } from '../protocol/register.ts'

/**
 * start: a side begins its life. claim: a secondary lost its session and looks whether it may claim.
 * claimed: an answer to writing alone(me), or a look at the register by a primary that yields. paired: an
 * answer to writing pair(me, S, session). owned: an owner that stands alone looks whether it still is the owner.
 * halted: a side that holds nothing looks who could still own the guest.
 */
export type Moment = 'start' | 'claim' | 'claimed' | 'paired' | 'owned' | 'halted'

/**
 * found: write alone(me), begin cold. join: become a fresh secondary. backwards: the register is not the one
 * that this side, which holds nothing, has seen. unreachable: the register decides nothing; keep everything and
 * ask again. claim: write alone(me) from the register. wait: keep the state, read again. won: serve. again:
 * claim from the register that was just read. named: protected. retry: write the same again. own: this side is
 * the owner. behind: the owner's register was put back; write alone(me) forward. superseded: an operator began
 * a cold guest, or somebody else owns the pair: halt, keep the state. gone: everyone who held the guest is
 * dead. lost: the other side has the guest.
 */
export type Verdict =
  | 'found'
  | 'join'
  | 'backwards'
  | 'unreachable'
  | 'claim'
  | 'wait'
  | 'won'
  | 'again'
  | 'named'
  | 'retry'
  | 'own'
  | 'behind'
  | 'superseded'
  | 'gone'
  | 'lost'

export interface Facts {
  /** What the witness showed; undefined if there is no register. */
  readonly register: Register | undefined
  /** What that register is to this side, judged before it was learnt. */
  readonly standing: Standing | 'unreached'
  /** The register that this side knows grew from the one shown. */
  readonly isAncestor: boolean
  readonly me: Incarnation
  /** What the daemon was told to be at its start. */
  readonly told: Role
  /** This side has seen a register of this pair, in this life or before. */
  readonly hasSeen: boolean
  /** The peer's word, or the operator's, that this pair never ran. */
  readonly mayFound: boolean
  /** When the guest of the register that this side knew last began cold. */
  readonly knownColdSince: number
  /** The incarnation of the peer, as far as it is known to live. */
  readonly peer: Incarnation | undefined
  /** The session that this side was in: its number and its owner. */
  readonly session: number
  readonly sessionOwner: Incarnation | undefined
}

/** Mutable on purpose: the simulator takes one guard away at a time and demands that a seed finds it out. */
export const GUARDS = {
  isUntrusted: (f: Facts) => f.standing !== 'same' && f.standing !== 'newer',
  /** Put back to a copy from which the known register grew. */
  isAncestor: (f: Facts) => f.isAncestor,
  /** Nobody wrote on it that this side knows of: there is no register, or it is another pair's. */
  isAbsent: (f: Facts) => f.standing === 'missing' || f.standing === 'foreign',
  isUnseen: (f: Facts) => !f.hasSeen,
  mayFound: (f: Facts) => f.mayFound,
  isStopped: (f: Facts) => f.register?.holder.kind === 'stopped',
  wasToldPrimary: (f: Facts) => f.told === 'primary',
  isAloneMe: (f: Facts) => f.register?.holder.kind === 'alone' && f.register.holder.owner === f.me,
  /** A guest began cold after the one whose state this side holds. */
  beganCold: (f: Facts) => (f.register?.coldSince ?? 0) > f.knownColdSince,
  /** As it was when the session began: a newer register of any kind has passed this side over. */
  isStillTheOwners: (f: Facts) =>
    f.register?.holder.kind === 'alone' &&
    f.register.holder.owner === f.sessionOwner &&
    f.standing === 'same',
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
    holders(f.register).every((owner) => owner !== f.peer && owner !== f.me),
}

export type GuardName = keyof typeof GUARDS

interface Row {
  readonly at: Moment
  readonly when: readonly GuardName[]
  readonly gives: Verdict
}

export const SURVIVAL: readonly Row[] = [
  // [1] A pair that nobody has seen is founded on the peer's word, or the operator's ...
  { at: 'start', when: ['isUnseen', 'wasToldPrimary', 'mayFound'], gives: 'found' },
  { at: 'start', when: ['isUnseen'], gives: 'join' },
  // ... one that was seen is looked for until its register is back.
  { at: 'start', when: ['isUntrusted'], gives: 'backwards' },
  { at: 'start', when: ['isStopped', 'wasToldPrimary'], gives: 'found' },
  // [9] A pair or an owner of which nobody lives any more can't be joined.
  { at: 'start', when: ['isHeldByTheDead'], gives: 'gone' },
  { at: 'start', when: [], gives: 'join' },
  // [11] No register, or a wrong one: keep the state and ask again.
  { at: 'claim', when: ['isUntrusted'], gives: 'unreachable' },
  // [5] Only a pair that names this incarnation and this session lets a secondary claim ...
  { at: 'claim', when: ['isPairWithMe'], gives: 'claim' },
  // ... or a write of its own that landed after this side had given it up.
  { at: 'claim', when: ['isAloneMe'], gives: 'claim' },
  // [9] ... one that was seeded and never named has nobody to wait for once the owner is dead ...
  { at: 'claim', when: ['isStillTheOwners', 'isHeldByTheDead'], gives: 'gone' },
  // [7] ... and until the owner has moved on it may still be named by a late write.
  { at: 'claim', when: ['isStillTheOwners'], gives: 'wait' },
  { at: 'claim', when: ['beganCold'], gives: 'superseded' },
  // [1] A pair that was to be founded, and was not: another one was first. [11] as above.
  // [6] What the register says after this side has written alone(me).
  { at: 'claimed', when: ['isUnseen', 'isAbsent'], gives: 'lost' },
  { at: 'claimed', when: ['isUntrusted'], gives: 'unreachable' },
  { at: 'claimed', when: ['isAloneMe'], gives: 'won' },
  { at: 'claimed', when: ['isPairOfMine'], gives: 'again' },
  { at: 'claimed', when: ['isPairWithMe'], gives: 'again' },
  { at: 'claimed', when: ['beganCold'], gives: 'superseded' },
  // [3] What it says after this side has written the pair.
  { at: 'paired', when: ['isUntrusted'], gives: 'unreachable' },
  { at: 'paired', when: ['isPairOfMySession'], gives: 'named' },
  { at: 'paired', when: ['isAloneMe'], gives: 'retry' },
  { at: 'paired', when: ['beganCold'], gives: 'superseded' },
  // [13] An owner that stands alone goes on while nobody contradicts it.
  { at: 'owned', when: ['isAbsent'], gives: 'unreachable' },
  { at: 'owned', when: ['isAncestor'], gives: 'behind' },
  { at: 'owned', when: ['isUntrusted'], gives: 'superseded' },
  { at: 'owned', when: ['isAloneMe'], gives: 'own' },
  { at: 'owned', when: [], gives: 'superseded' },
  // [9] A side that halted looks whether there is somebody to join.
  { at: 'halted', when: ['isUnseen'], gives: 'join' },
  { at: 'halted', when: ['isUntrusted'], gives: 'backwards' },
  { at: 'halted', when: ['isHeldByTheDead'], gives: 'gone' },
  { at: 'halted', when: [], gives: 'join' },
]

/** The first row of this moment whose guards all hold; `lost` if there is none. No answer is no verdict. */
export function judge(at: Moment, facts: Facts): Verdict {
  if (facts.standing === 'unreached') return 'unreachable'
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
