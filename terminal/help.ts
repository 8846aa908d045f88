// Help that teaches: every verb says what it does (its description), when one uses it, and shows an example. Its
// lines fit 80 columns, as those of the options do on a terminal of that width.

import type { Command } from 'commander'
import { wrapCommand, wrapWords } from './wrap.ts'

export interface Lesson {
  readonly when: string
  readonly examples: readonly (readonly [command: string, effect: string])[]
}

const WIDTH = 80
const INDENT = '  '
/** An effect that would have less room beside its command stands below it. */
const EFFECT_WIDTH_MIN = 30

/** What is to the left in one column and what it means in another, or below it where the left one is wide. */
export function describePairs(pairs: readonly (readonly [string, string])[]): string {
  const left = Math.max(...pairs.map(([name]) => name.length))
  const room = WIDTH - left - 2 * INDENT.length
  return pairs
    .flatMap(([name, text]) => {
      if (room < EFFECT_WIDTH_MIN) {
        const below = wrapWords(text, WIDTH - 3 * INDENT.length)
        return [
          ...wrapCommand(name.split(' '), WIDTH, INDENT),
          ...below.map((line) => INDENT.repeat(3) + line),
        ]
      }
      return wrapWords(text, room).map((line, index) =>
        `${INDENT}${(index === 0 ? name : '').padEnd(left)}${INDENT}${line}`.trimEnd(),
      )
    })
    .join('\n')
}

export function teach(command: Command, { when, examples }: Lesson): Command {
  const lines = wrapWords(when.replaceAll(/\s+/g, ' '), WIDTH - INDENT.length)
  const title = examples.length === 1 ? 'Example:' : 'Examples:'
  return command.addHelpText(
    'after',
    `\nWhen:\n${lines.map((line) => INDENT + line).join('\n')}\n\n${title}\n${describePairs(examples)}`,
  )
}
