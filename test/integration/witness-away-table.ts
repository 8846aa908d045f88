// What must happen once the folder of the register is back, for each state in which it goes away, each way to go
// away, and each side that is killed or stopped meanwhile. Rows that add nothing are left out, with the reason.

import type { Name } from './pair.ts'
import { WITNESS_FAULTS, type WitnessFault } from './witness-fault.ts'

const VICTIMS = ['nobody', 'a', 'b', 'both', 'a stopped', 'b stopped'] as const
export type Victim = (typeof VICTIMS)[number]

/** Who serves in the end; `lost`: nobody, and each side says so. */
export type Outcome = Name | 'either' | 'lost'

interface StateRow {
  readonly what: string
  readonly whenBack: Readonly<Record<Victim, Outcome>>
}

const ALL_A = { nobody: 'a', 'a stopped': 'a', 'b stopped': 'a', b: 'a' } as const

/** When the folder goes away, `a` is the primary, or is to be; `b` is the secondary. */
export const STATES = {
  founding: {
    what: 'no pair was founded yet',
    whenBack: { ...ALL_A, a: 'a', both: 'a' },
  },
  standalone: {
    what: 'a serves alone, and no secondary was ever there',
    whenBack: { ...ALL_A, a: 'lost', both: 'lost' },
  },
  connecting: {
    what: 'a serves alone, and b comes while the folder is away',
    whenBack: { ...ALL_A, a: 'lost', both: 'lost' },
  },
  seeding: {
    what: 'the first copy is on its way, so b holds nothing',
    whenBack: { ...ALL_A, a: 'lost', both: 'lost' },
  },
  seeded: {
    what: 'b holds a whole copy, and the witness was not reached to name it',
    whenBack: { ...ALL_A, a: 'lost', both: 'lost' },
  },
  protected: {
    what: 'both sides hold the state',
    whenBack: {
      ...{ nobody: 'a', a: 'b', b: 'a', both: 'lost' },
      ...{ 'a stopped': 'either', 'b stopped': 'either' },
    },
  },
} as const satisfies Readonly<Record<string, StateRow>>

export type State = keyof typeof STATES

export interface Row {
  readonly state: State
  readonly fault: WitnessFault
  readonly victim: Victim
}

/** Rows that show nothing which another one does not show. The first that fits tells why. */
const LEFT_OUT: readonly { readonly why: string; readonly fits: (row: Row) => boolean }[] = [
  {
    why: 'a missing or an empty folder is where a pair is founded',
    fits: ({ state, fault }) => state === 'founding' && fault !== 'unreadable',
  },
  {
    why: 'before the pair is founded there is nothing that a kill of b, or a stop, could lose',
    fits: ({ state, victim }) => state === 'founding' && !['nobody', 'a'].includes(victim),
  },
  {
    why: 'there is no b',
    fits: ({ state, victim }) => state === 'standalone' && victim.startsWith('b'),
  },
  {
    why: 'the session ends as after a kill, and a was never asked for the pair',
    fits: ({ state, victim }) =>
      ['connecting', 'seeding'].includes(state) && victim.endsWith('stopped'),
  },
  {
    why: 'b holds nothing: its death adds nothing to that of a',
    fits: ({ state, victim }) => ['connecting', 'seeding'].includes(state) && victim === 'both',
  },
  {
    why: 'to a side that asks it is the same as an empty one; only a side that starts might make it',
    fits: ({ state, fault, victim }) =>
      fault === 'missing' && !(state === 'protected' && ['a', 'b', 'both'].includes(victim)),
  },
  {
    why: 'how a side takes an error is shown by the deaths, and by one stop under a protected pair',
    fits: ({ state, fault, victim }) =>
      fault === 'unreadable' &&
      state !== 'founding' &&
      !['a', 'b', ...(state === 'protected' ? ['b stopped'] : [])].includes(victim),
  },
  {
    why: 'b holds nothing, and a was never asked for the pair: an empty folder shows it',
    fits: ({ state, fault }) => ['connecting', 'seeding'].includes(state) && fault === 'unreadable',
  },
]

export const ROWS: Row[] = []
for (const state of Object.keys(STATES) as State[]) {
  for (const fault of Object.keys(WITNESS_FAULTS) as WitnessFault[]) {
    for (const victim of VICTIMS) {
      const row = { state, fault, victim }
      if (!LEFT_OUT.some(({ fits }) => fits(row))) ROWS.push(row)
    }
  }
}

interface OneSidedRow {
  readonly seenBy: Name
  readonly victim: Exclude<Victim, 'both' | 'nobody'>
  /** Who serves before the folder is back for the other one. */
  readonly meanwhile: Name | 'nobody'
  readonly whenBack: Name
}

/** A protected pair of which one side does not see the register. */
export const ONE_SIDED: readonly OneSidedRow[] = [
  { seenBy: 'b', victim: 'a', meanwhile: 'nobody', whenBack: 'b' },
  { seenBy: 'b', victim: 'b', meanwhile: 'a', whenBack: 'a' },
  { seenBy: 'b', victim: 'b stopped', meanwhile: 'a', whenBack: 'a' },
  { seenBy: 'a', victim: 'b', meanwhile: 'nobody', whenBack: 'a' },
  { seenBy: 'a', victim: 'a', meanwhile: 'b', whenBack: 'b' },
  { seenBy: 'a', victim: 'a stopped', meanwhile: 'b', whenBack: 'b' },
]
