// `colo watch`: a line for each side at each change and each second, until Ctrl-C or until nobody is left.

import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { OperatorClient } from '../shared/control/control-client.ts'
import type { Status } from '../shared/control/messages.ts'
import { teach } from './help.ts'
import { plainLine } from './plain-text.ts'
import { formatOption, type FormatOptions } from './status.ts'
import { addTargetOptions, chooseTargets, connectTo, type TargetOptions } from './targets.ts'
import { showBytes, showMs } from './units.ts'

const EVERY_MS = 1000

export function addWatch(program: Command): void {
  const command = addTargetOptions(
    program.command('watch').description('a line at each change and each second'),
  )
    .addOption(formatOption('json: one object a line'))
    .action(async (options: TargetOptions & FormatOptions) => {
      const targets = chooseTargets(options)
      const show = options.format === 'json' ? (status: Status) => JSON.stringify(status) : describe
      const clients = await Promise.all(targets.map(connectTo))
      const stopping = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => stopping.abort())
      }
      await Promise.all(clients.map(async (client) => follow(client, show, stopping.signal)))
    })
  teach(command, {
    when:
      'in a terminal beside the one where you break things: each change of a side is a line at once.\n' +
      '  A side that ends is gone from the list; the watch ends with the last one.',
    examples: [
      ['colo watch', 'both sides of the one pair that lives here'],
      ['colo watch -f json | jq .state', 'JSON lines for a script'],
    ],
  })
}

async function follow(
  client: OperatorClient,
  show: (status: Status) => string,
  stopping: AbortSignal,
): Promise<void> {
  const link = { closed: false }
  const tell = (status: Status) => void process.stdout.write(`${plainLine(show(status))}\n`)
  client.onClosed = () => (link.closed = true)
  client.onStatus = tell
  await client.ask('watch')
  while (!link.closed && !stopping.aborted) {
    const next = await client.status().catch(() => undefined)
    if (next !== undefined) tell(next)
    await delay(EVERY_MS, undefined, { signal: stopping }).catch(() => {})
  }
  client.close()
}

function describe(status: Status): string {
  const { name, role, state, reason, generation, epoch, pause } = status
  const time = new Date().toISOString().slice(11, 23)
  const why = state === 'protected' ? '' : ` (${reason})`
  return (
    `${time} ${name} ${role} ${state}${why} gen ${generation} epoch ${epoch}, ` +
    `${status.checkpoints} checkpoints, pause ${showMs(pause.p50)}/${showMs(pause.p99)} ms, ` +
    `${status.dirtyPages} dirty, held ${showBytes(status.heldBytes)}, ${status.clients} clients`
  )
}
