// `colo pause`: the guest stands still.

import type { Command } from 'commander'
import { addSideVerb, isServing } from './side-verb.ts'

export function addPause(program: Command): void {
  addSideVerb(program, {
    verb: 'pause',
    description: 'suspend the guest; checkpoints and heartbeats go on',
    side: 'the one that serves',
    fits: isServing,
    when:
      'to look at a guest that stands still: its memory digest then stays the same on both sides\n' +
      '  (colo status --digest). Clients wait.',
    examples: [
      ['colo pause && colo status --digest; colo resume', 'compare the memory of both sides'],
    ],
  })
}
