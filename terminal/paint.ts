// Colours on a terminal. They only repeat what the words say: without them nothing is lost.

export type Colour = 'green' | 'yellow' | 'red'

const CODES: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31 }
const BOLD = 1

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
