// `colo start-over`: a cold guest where every copy of the old one is lost.

import { Option, type Command } from 'commander'
import { argument } from './daemon-options.ts'
import { addSideVerb } from './side-verb.ts'
import { parseCount } from './units.ts'

export function addStartOver(program: Command): void {
  addSideVerb(program, {
    verb: 'start-over',
    description: 'begin with a cold guest after every state was lost (all of it is given up)',
    side: 'halted',
    fits: ({ state }) => state === 'halted',
    options: (command) => {
      command.addOption(
        new Option('--generation <n>', 'the generation of the register that you have seen')
          .argParser(argument((text) => parseCount(text)))
          .makeOptionMandatory(),
      )
    },
    fields: ({ generation }: { generation: number }) => ({ generation }),
    when:
      'both hosts were lost at once and the sides came back `halted: guest state lost`. The generation\n' +
      '  (colo status shows it) proves that you mean the pair as it is now.',
    examples: [['colo start-over --name a --generation 7', 'side a serves a cold guest']],
  })
}
