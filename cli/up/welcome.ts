// What `colo up` prints once the pair is protected: where everything is, and what to try.

import { formatTable } from '../table.ts'
import { otherSide, SIDE_NAMES, type PairRun, type SideName } from './pair-run.ts'
import type { SidePorts } from './ports.ts'

export interface Whereabouts {
  readonly run: PairRun
  readonly ports: Readonly<Record<SideName, SidePorts>>
  readonly pair: string
  readonly tokenFile: string
  readonly witness: string
  /** The guest is the shipped one, which redis-cli can talk to. */
  readonly isShipped: boolean
}

export function welcome(where: Whereabouts): string {
  const { run, ports, pair, tokenFile, witness, isShipped } = where
  const rows = SIDE_NAMES.map((name) => {
    const child = run.side(name)?.child
    const { clients, control, data } = ports[name]
    const role = run.status(name)?.role ?? ''
    return [name, role, String(child?.pid), clients, control, data, child?.logFile ?? '']
  })
  const titles = ['side', 'role', 'pid', 'clients', 'control', 'data', 'log']
  const primary = run.holderOf('primary') ?? 'a'
  const warning = run.status(primary)?.warning
  const portOf = (name: SideName) => ports[name].clients.split(':').at(-1)
  const ask = (name: SideName, question: string) =>
    isShipped
      ? `redis-cli -p ${portOf(name)} ${question}`
      : `nc ${ports[name].clients.replace(':', ' ')}`
  const tries = [
    [ask(primary, 'incr visits'), 'the guest is a service'],
    [
      `kill -9 ${run.side(primary)?.child.pid}`,
      'the other side goes on, with every acknowledged write:',
    ],
    [ask(otherSide(primary), 'get visits'), ''],
    [`npx colo status --pair ${pair}`, 'both sides in a table (npx colo --help has more)'],
  ]
  const width = Math.max(...tries.map(([command = '']) => command.length))
  return [
    '',
    formatTable(titles, rows),
    '',
    `pair ${pair}, witness ${witness}, token ${tokenFile}`,
    ...(warning === undefined ? [] : [`warning: ${warning}`]),
    '',
    'try, in another terminal:',
    ...tries.map(([command = '', effect = '']) =>
      `  ${command.padEnd(width)}  ${effect}`.trimEnd(),
    ),
    '',
  ].join('\n')
}
