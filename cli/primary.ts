// `colo primary`: one daemon in the foreground, the first of a pair.

import type { Command } from 'commander'
import { teach } from '../terminal/help.ts'
import { oneSide } from './one-side.ts'

export function addPrimary(program: Command): void {
  const command = program
    .command('primary')
    .description('run one daemon in the foreground: it begins the pair with a cold guest')
  oneSide(command, 'primary')
  teach(command, {
    when:
      'to place the two sides yourself, on two machines or in two terminals. A daemon told to be the\n' +
      '  primary begins a guest only if the pair has no register yet, or was stopped as a whole; otherwise\n' +
      '  it joins as a fresh secondary. So both sides may be started again with the same command.',
    examples: [
      ['colo primary', 'side a on this machine; clients come to 127.0.0.1:6380'],
      [
        'colo primary --control 10.0.0.1:7380 --data 10.0.0.1:7382 --peer 10.0.0.2:7380',
        'one of two machines (with a --witness that both reach)',
      ],
    ],
  })
}
