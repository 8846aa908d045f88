// The verbs that change something are all alike: choose a side, show it the token, say the verb, print what it
// answered. Each has a file with its words; this is what they share.

import type { Command } from 'commander'
import type { Status, VerbMessage, VerbName } from '../shared/protocol/control-messages.ts'
import { teach, type Lesson } from '../terminal/help.ts'
import { plainLine } from '../terminal/plain-text.ts'
import { sayAside } from '../terminal/standard-streams.ts'
import {
  addTargetOptions,
  chooseOne,
  chooseTargets,
  connectTo,
  tokenOf,
  type Target,
  type TargetOptions,
} from './targets.ts'

export type VerbFields = Partial<Omit<VerbMessage, 'type' | 'id' | 'verb'>>

const VERB_TIMEOUT_MS = 5000
/** A wait that is shorter is not worth a line. */
const QUIET_MS = 1000

export interface SideVerb extends Lesson {
  readonly verb: VerbName
  readonly description: string
  /** Which side it is for if none is named: as the error says it, and as a status shows it. */
  readonly side: string
  readonly fits: (status: Status) => boolean
  readonly options?: (command: Command) => void
  readonly fields?: (options: never) => VerbFields
  /** How long the side may take until it answers, and what it does meanwhile, as a line says it each second. */
  readonly patience?: { readonly ms: number; readonly doing: string }
}

export const isServing = ({ role }: Status) => role === 'primary'

/** Says the verb to the side and returns what it answered. */
export async function say(
  target: Target,
  verb: VerbName,
  fields: VerbFields,
  patience?: SideVerb['patience'],
): Promise<string> {
  const token = tokenOf(target)
  const client = await connectTo(target)
  const waiting = patience && tellProgress(target.label, patience)
  try {
    const { detail } = await client.ask(verb, { ...fields, token }, patience?.ms ?? VERB_TIMEOUT_MS)
    return detail ?? 'done'
  } finally {
    clearInterval(waiting)
    client.close()
  }
}

function tellProgress(label: string, { ms, doing }: { ms: number; doing: string }): NodeJS.Timeout {
  const from = performance.now()
  return setInterval(() => {
    const waited = Math.round((performance.now() - from) / 1000)
    sayAside(`${label}: ${doing}, ${waited} s of at most ${ms / 1000} s\n`)
  }, QUIET_MS)
}

export function addSideVerb(program: Command, words: SideVerb): void {
  const { verb, description, side, fits } = words
  const command = addTargetOptions(program.command(verb).description(description))
  words.options?.(command)
  command.action(async (options: TargetOptions) => {
    const target = await chooseOne(chooseTargets(options), side, fits)
    const fields = words.fields?.(options as never) ?? {}
    const answer = await say(target, verb, fields, words.patience)
    process.stdout.write(`${plainLine(`${target.label}: ${answer}`)}\n`)
  })
  teach(command, words)
}
