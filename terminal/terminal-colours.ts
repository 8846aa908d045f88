// What a state looks like on a terminal.

import type { Colour } from './paint.ts'
import type { StateName } from '../shared/protocol/states.ts'

/** Of a side that does not answer, and why: what it is shown as in place of a state. */
export type Absence = 'dead' | 'no answer' | 'starting'

export const STATE_COLOURS: Readonly<Record<StateName | Absence, Colour>> = {
  connecting: 'yellow',
  seeding: 'yellow',
  protected: 'green',
  claiming: 'yellow',
  standalone: 'yellow',
  halted: 'red',
  starting: 'yellow',
  dead: 'red',
  'no answer': 'red',
}

export function colourOf(state: string): Colour | undefined {
  return Object.hasOwn(STATE_COLOURS, state)
    ? STATE_COLOURS[state as StateName | Absence]
    : undefined
}
