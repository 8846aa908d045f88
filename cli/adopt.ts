// `colo adopt`: the guest goes on from the state that this side holds, where the register does not let it.

import type { Command } from 'commander'
import { addSideVerb } from './side-verb.ts'
import { addGeneration, OPERATOR_PATIENCE_MS } from './start-over.ts'

interface AdoptOptions {
  readonly generation: number
  readonly peerIsDead: boolean
}

export function addAdopt(program: Command): void {
  addSideVerb(program, {
    verb: 'adopt',
    description: 'go on with the guest that this side holds, where its register is lost',
    side: 'a side that holds a state and waits',
    fits: ({ state }) => state === 'halted' || state === 'claiming',
    options: (command) => {
      addGeneration(command, 'the generation that this side knows, as colo status shows it')
      command.option('--peer-is-dead', 'you have made sure that the silent peer is dead', false)
    },
    fields: ({ generation, peerIsDead }: AdoptOptions) => ({ generation, peerIsDead }),
    patience: {
      ms: OPERATOR_PATIENCE_MS,
      doing: 'waiting until the register has been missing long enough, and asking the peer',
    },
    when:
      'a side holds a whole committed state and waits (`claiming`, `halted`), because the register is\n' +
      '  missing, older than what it has seen, or of another line; or its primary was lost for good before\n' +
      '  the pair was protected. Look first at `colo status` of BOTH sides: if the peer serves, adopt is\n' +
      '  refused and wrong; if the peer waits as well, the one with the newer state goes on. If the peer is\n' +
      '  silent, go and look: a peer that is only cut off may be serving, and then two guests serve. Say\n' +
      '  --peer-is-dead only when its process, or its machine, is off. Better than adopt: put the right\n' +
      '  register back (docs/operating.md), and the sides go on by themselves.',
    examples: [
      ['colo status', 'the generation of this side, and what the peer does'],
      ['colo adopt --name b --generation 7', 'b goes on from its state; its peer answers'],
      ['colo adopt --name b --generation 7 --peer-is-dead', 'the same; its peer is dead'],
    ],
  })
}
