// `colo history`: the last checkpoints and failovers, a row each.

import { Option, type Command } from 'commander'
import type { Answer } from '../shared/protocol/control-messages.ts'
import { STAGE_NAMES, type CheckpointRow, type FailoverRow } from '../shared/protocol/rows.ts'
import { argument } from './daemon-options.ts'
import { teach } from '../terminal/help.ts'
import { plainText } from '../terminal/plain-text.ts'
import { formatOption, type FormatOptions } from './status.ts'
import { formatTable } from '../terminal/table.ts'
import { addTargetOptions, chooseTargets, connectTo, type TargetOptions } from './targets.ts'
import { parseCount, showBytes, showMs } from '../terminal/units.ts'
import { HISTORY_ROWS_MAX } from './up/side-watch.ts'

const ROWS = 20

interface HistoryOptions extends TargetOptions, FormatOptions {
  readonly rows: number
}

export function addHistory(program: Command): void {
  const command = addTargetOptions(
    program.command('history').description('the last checkpoints and failovers, a row each'),
  )
    .addOption(
      new Option('-n, --rows <n>', 'at most so many rows of each')
        .argParser(argument((text) => parseCount(text, 1, HISTORY_ROWS_MAX)))
        .default(ROWS),
    )
    .addOption(formatOption('json: the rows with all their fields'))
    .action(history)
  teach(command, {
    when:
      'a checkpoint or a failover took longer than you like, and you want to know which step. A side\n' +
      '  remembers what it did itself: checkpoints are in the history of the primary.',
    examples: [
      ['colo history -n 5', 'the last five of each, of both sides'],
      ['colo history --name a -n 400 -f json', 'for a script'],
    ],
  })
}

async function history(options: HistoryOptions): Promise<void> {
  const sides: { side: string; answer: Answer }[] = []
  for (const target of chooseTargets(options)) {
    const client = await connectTo(target)
    try {
      sides.push({
        side: target.label,
        answer: await client.ask('history', { rows: options.rows }),
      })
    } finally {
      client.close()
    }
  }
  if (options.format === 'json') {
    const list = sides.map(({ side, answer }) => {
      const { checkpoints = [], failovers = [] } = answer
      return { side, checkpoints, failovers }
    })
    process.stdout.write(plainText(`${JSON.stringify(list, undefined, 2)}\n`))
    return
  }
  process.stdout.write(plainText(`${sides.map(describeSide).join('\n\n')}\n`))
}

function describeSide({ side, answer }: { side: string; answer: Answer }): string {
  const checkpoints = (answer.checkpoints ?? []) as unknown as CheckpointRow[]
  const failovers = (answer.failovers ?? []) as unknown as FailoverRow[]
  const parts = [`${side}: ${checkpoints.length} checkpoints, ${failovers.length} failovers`]
  if (checkpoints.length > 0) {
    const titles = [
      'epoch',
      'gen',
      'trigger',
      'pause',
      'find',
      ...STAGE_NAMES,
      'cycle ms',
      'pages',
      'bytes',
    ]
    parts.push(formatTable([...titles, 'held', 'outcome'], checkpoints.map(checkpointCells)))
  }
  if (failovers.length > 0) {
    const titles = ['gen', 'as', 'reason', 'detected ms', 'claimed ms', 'serving ms', 'detail']
    parts.push(formatTable(titles, failovers.map(failoverCells)))
  }
  return parts.join('\n')
}

function checkpointCells(row: CheckpointRow): string[] {
  return [
    ...[String(row.epoch), String(row.generation), row.trigger],
    ...[row.pause, row.find, ...STAGE_NAMES.map((name) => row.stages[name]), row.cycle].map(showMs),
    ...[String(row.pages), showBytes(row.bytes), showBytes(row.held), row.outcome],
  ]
}

function failoverCells(row: FailoverRow): string[] {
  const times = [row.detectedMs, row.claimedMs, row.servingMs].map(showMs)
  return [String(row.generation), row.role, row.reason, ...times, row.detail]
}
