// `colo failover`: the guest goes to the other side, on purpose.

import type { Command } from 'commander'
import { addSideVerb } from './side-verb.ts'

export function addFailover(program: Command): void {
  addSideVerb(program, {
    verb: 'failover',
    description: 'hand the guest over to the other side, or grant a claim that waits',
    side: 'primary or waits with a claim',
    // With the operator as witness, the side that claims waits for this word; it is the one to hear it.
    fits: ({ role, state }) =>
      state === 'claiming' || (role === 'primary' && state === 'protected'),
    when:
      'before maintenance of the machine that serves: nothing is lost, clients reconnect. With\n' +
      '  --witness operator it is also the word that a claim waits for: say it only when the other side is\n' +
      '  surely dead.',
    examples: [
      ['colo failover', 'the primary of the one pair that lives here hands over'],
      ['colo failover --name b', 'ask side b to take the guest, or grant its claim'],
    ],
  })
}
