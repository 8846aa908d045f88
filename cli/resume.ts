// `colo resume`: the guest goes on after `colo pause`.

import type { Command } from 'commander'
import { addSideVerb, isServing } from './side-verb.ts'

export function addResume(program: Command): void {
  addSideVerb(program, {
    verb: 'resume',
    description: 'let a paused guest run again',
    side: 'the one that serves',
    fits: isServing,
    when: 'after colo pause. A failover resumes the guest by itself.',
    examples: [['colo resume', 'clients that waited get their answers']],
  })
}
