// What a state looks like on a terminal. Colour only repeats what the words say: without it nothing is lost.

import type { StateName } from '../shared/protocol/states.ts'

export type Colour = 'green' | 'yellow' | 'red'

/** Of a side that does not answer, and why: what it is shown as in place of a state. */
export type Absence = 'dead' | 'no answer' | 'starting'

const CODES: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31 }
const BOLD = 1

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

export interface Paint {
  (colour: Colour | undefined, text: string, bold?: boolean): string
}

export const plain: Paint = (_colour, text) => text

export const coloured: Paint = (colour, text, bold = false) => {
  if (colour === undefined || text === '') return text
  return `\u001B[${bold ? `${BOLD};` : ''}${CODES[colour]}m${text}\u001B[0m`
}

/** Colours for a terminal that shows them and a user who wants them (https://no-color.org). */
export function paintFor(
  out: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Paint {
  const isWanted = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return out.isTTY === true && isWanted ? coloured : plain
}

export function colourOf(state: string): Colour | undefined {
  return Object.hasOwn(STATE_COLOURS, state)
    ? STATE_COLOURS[state as StateName | Absence]
    : undefined
}
