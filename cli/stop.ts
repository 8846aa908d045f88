// `colo stop`: one side leaves by request, or the pair ends as a whole.

import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { isAlive } from '../daemon/living-process.ts'
import { CliError } from '../terminal/exit-codes.ts'
import { teach } from '../terminal/help.ts'
import { plainLine } from '../terminal/plain-text.ts'
import { isServing, say } from './side-verb.ts'
import {
  addTargetOptions,
  askStatuses,
  chooseTargets,
  type Target,
  type TargetOptions,
} from './targets.ts'

const ENDED_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 20

interface StopOptions extends Omit<TargetOptions, 'pair'> {
  /** True: both sides of the one pair; a name: of that pair. */
  readonly pair?: string | true
}

export function addStop(program: Command): void {
  const command = program
    .command('stop')
    .description('end one side (the other goes on), or with --pair both')
    .option('--pair [name]', 'both sides; with --name, only the pair that the side is of')
  addTargetOptions(command, false).action(stop)
  teach(command, {
    when:
      'to take a side out of service: the other one is told and goes on alone. With --pair the pair ends\n' +
      '  as a whole: the register says `stopped`, and the next start begins with a cold guest.',
    examples: [
      ['colo stop --name b', 'side b leaves; side a serves alone'],
      ['colo stop --pair', 'both sides of the one pair that lives here'],
    ],
  })
}

async function stop(options: StopOptions): Promise<void> {
  const { pair, ...rest } = options
  const targets = chooseTargets({ ...rest, pair: pair === true ? undefined : pair })
  const both = pair !== undefined && options.name === undefined
  if (pair === true && options.name !== undefined) {
    throw new CliError('usage', '--pair ends both sides, --name one of them: give one of the two')
  }
  if (!both && targets.length > 1) {
    const sides = targets.map(({ label }) => `--name ${label.split('/').at(-1)}`).join(', ')
    throw new CliError('usage', `which one: ${sides}, or --pair for both`)
  }
  await (both ? stopPair(targets) : sayStop(targets, false))
  await Promise.all(targets.map(ended))
  for (const { label } of targets) process.stdout.write(`${plainLine(label)}: stopped\n`)
}

/** Only the side that serves can end the pair; where nobody does, each side ends by itself. */
async function stopPair(targets: readonly Target[]): Promise<void> {
  const seen = await askStatuses(targets)
  const serving = seen.filter(({ status }) => isServing(status)).map(({ target }) => target)
  await (serving.length > 0 ? sayStop(serving, true) : sayStop(targets, false))
}

async function sayStop(targets: readonly Target[], pair: boolean): Promise<void> {
  await Promise.all(targets.map(async (target) => say(target, 'stop', { pair })))
}

async function ended({ pid, label }: Target): Promise<void> {
  if (pid === undefined) return
  const end = Date.now() + ENDED_WITHIN_MS
  while (isAlive(pid)) {
    if (Date.now() > end) {
      throw new CliError(
        'broken',
        `${label} (pid ${pid}) said it stops, and still runs: kill ${pid}`,
      )
    }
    await delay(LOOK_AGAIN_MS)
  }
}
