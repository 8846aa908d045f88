// Help that teaches: every verb says what it does (its description), when one uses it, and shows an example.

import type { Command } from 'commander'

export interface Lesson {
  readonly when: string
  readonly examples: readonly (readonly [command: string, effect: string])[]
}

export function teach(command: Command, lesson: Lesson): Command {
  const width = Math.max(...lesson.examples.map(([example]) => example.length))
  const lines = lesson.examples.map(([example, effect]) => `  ${example.padEnd(width)}  ${effect}`)
  const title = lines.length === 1 ? 'Example:' : 'Examples:'
  return command.addHelpText('after', `\nWhen:\n  ${lesson.when}\n\n${title}\n${lines.join('\n')}`)
}
