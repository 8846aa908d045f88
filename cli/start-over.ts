// `colo start-over`: a cold guest where every copy of the old one is lost.

import { Option, type Command } from 'commander'
import { argument } from './daemon-options.ts'
import { addSideVerb } from './side-verb.ts'
import { parseCount } from '../terminal/units.ts'

/** The side reads the register again and again, and asks the peer, for up to 10 s before it answers. */
export const OPERATOR_PATIENCE_MS = 12_000
/** The register names nobody as its owner: it is missing, or says `stopped`. */
const NO_OWNER = 'none'
const OWNER_DIGITS = { least: 4, most: 32 }

interface StartOverOptions {
  readonly generation: number
  readonly owner?: string
  readonly ownerIsDead: boolean
  readonly forgetGeneration?: number
}

export function addGeneration(command: Command, words: string): void {
  command.addOption(
    new Option('--generation <n>', words)
      .argParser(argument((text) => parseCount(text)))
      .makeOptionMandatory(),
  )
}

/** Hex digits as `colo status` shows them, or `none`. Throws with what it expects. */
export function parseOwner(text: string): string {
  const owner = text.toLowerCase()
  const { least, most } = OWNER_DIGITS
  const isHex = /^[0-9a-f]+$/.test(owner) && owner.length >= least && owner.length <= most
  if (isHex || owner === NO_OWNER) return owner
  throw new Error(
    `${JSON.stringify(text)}: write at least ${least} hex digits of the owner's incarnation ` +
      `(colo status shows the register), or ${NO_OWNER} if the register names nobody`,
  )
}

export function addStartOver(program: Command): void {
  addSideVerb(program, {
    verb: 'start-over',
    description: 'begin with a cold guest after every state was lost (all of it is given up)',
    side: 'one that holds nothing',
    fits: ({ state }) => state === 'halted' || state === 'connecting',
    options: (command) => {
      addGeneration(command, 'the generation of the register, as you have seen it')
      command
        .addOption(
          new Option(
            '--owner <hex>',
            'the incarnation that the register names, at least 4 digits, or none',
          )
            .argParser(argument(parseOwner))
            .makeOptionMandatory(),
        )
        .option('--owner-is-dead', 'you have made sure that this owner is dead', false)
        .addOption(
          new Option(
            '--forget-generation <m>',
            'the newer generation that this side has seen, if the register is older',
          ).argParser(argument((text) => parseCount(text))),
        )
    },
    fields: ({ generation, owner, ownerIsDead, forgetGeneration }: StartOverOptions) => ({
      ...{ generation, ownerIsDead, forgetGeneration },
      owner: owner === NO_OWNER ? undefined : owner,
    }),
    patience: {
      ms: OPERATOR_PATIENCE_MS,
      doing: 'asking the owner and the peer, and writing the register',
    },
    when:
      'no side holds the state any more: both hosts were lost at once (`halted: guest state lost`), or the\n' +
      '  one that stood alone is gone for good and the other waits in `connecting`. Look first at\n' +
      '  `colo status` of BOTH sides: a side that holds a state (`protected`, `standalone`, `claiming`) makes\n' +
      '  this wrong; `colo adopt` is for that one. The column `register` shows the generation and the owner,\n' +
      '  alone(OWNER)@N; with these you prove that you mean the pair as it is now. Say --owner-is-dead only\n' +
      '  when its process, or its machine, is off.',
    examples: [
      ['colo status', 'register alone(3f2a)@7: generation 7, owner 3f2a'],
      [
        'colo start-over --name a --generation 7 --owner 3f2a --owner-is-dead',
        'a serves a cold guest',
      ],
    ],
  })
}
