// `colo failback`: a survivor may have a secondary again.

import type { Command } from 'commander'
import { addSideVerb, isServing } from './side-verb.ts'

export function addFailback(program: Command): void {
  addSideVerb(program, {
    verb: 'failback',
    description: 'let a standalone side accept the next secondary and seed it',
    side: 'the one that serves',
    fits: isServing,
    when:
      'after a failover of a pair that was started with --failback manual: the survivor goes on alone\n' +
      '  until somebody asks for this, so that seeding happens when it suits.',
    examples: [['colo failback', 'the next secondary that dials is welcomed']],
  })
}
