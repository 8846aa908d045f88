// `colo secondary`: one daemon in the foreground, the one that joins.

import type { Command } from 'commander'
import { teach } from '../terminal/help.ts'
import { oneSide } from './one-side.ts'

export function addSecondary(program: Command): void {
  const command = program
    .command('secondary')
    .description('run one daemon in the foreground: it joins a pair and is seeded')
  oneSide(command, 'secondary')
  teach(command, {
    when:
      'beside `colo primary`, or to bring a side back after it was lost: it dials its peer until it is\n' +
      '  welcomed, receives a full copy, and the pair is protected.',
    examples: [
      ['colo secondary', 'side b on this machine, which joins the primary at 127.0.0.1:7380'],
      ['colo secondary --name a --peer 127.0.0.1:7381 ...', 'side a comes back after a failover'],
    ],
  })
}
