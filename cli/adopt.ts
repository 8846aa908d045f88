// `colo adopt`: a copy that was complete, but never named as one, is better than none.

import type { Command } from 'commander'
import { addSideVerb } from './side-verb.ts'

export function addAdopt(program: Command): void {
  addSideVerb(program, {
    verb: 'adopt',
    description: 'serve from a seed that the witness never named (loses what was released since)',
    side: 'a halted secondary',
    fits: ({ role, state }) => role === 'secondary' && state === 'halted',
    when:
      'the primary was lost for good right after it had seeded a secondary, before the pair was\n' +
      '  protected: the secondary has a whole copy, and is not allowed to use it by itself.',
    examples: [['colo adopt --name b', 'side b goes on from its seed']],
  })
}
