// What `colo up` prints once the pair is protected: where everything is, and what to try. On a terminal the
// live view has what changes: pids, roles, and what to try now.

import { DEFAULT_DIR } from '../places.ts'
import { formatTable } from '../../terminal/table.ts'
import { shellQuote } from '../../terminal/wrap.ts'
import { otherSide, SIDE_NAMES, type PairRun, type SideName } from './pair-run.ts'
import type { SidePorts } from './ports.ts'
import type { Hint } from './render-view.ts'

export interface Whereabouts {
  readonly run: PairRun
  readonly ports: Readonly<Record<SideName, SidePorts>>
  readonly dir: string
  readonly pair: string
  readonly tokenFile: string
  /** What one types for `colo`. */
  readonly colo: string
  readonly witness: string
  readonly logFile: (name: SideName) => string
  /** The guest is the shipped one, which redis-cli can talk to. */
  readonly isShipped: boolean
}

/** `isLive`: a live view follows, with the rest. */
export function welcome(where: Whereabouts, isLive: boolean): string {
  const { run, ports, pair, tokenFile, witness, logFile } = where
  const warning = run.status(run.holderOf('primary') ?? 'a')?.warning
  const about = [
    `pair ${pair}, witness ${witness}, token ${tokenFile}`,
    ...(warning === undefined ? [] : [`warning: ${warning}`]),
  ]
  if (isLive)
    return [...about, ...SIDE_NAMES.map((name) => `log of ${name}: ${logFile(name)}`)].join('\n')
  const rows = SIDE_NAMES.map((name) => {
    const { clients, control, data } = ports[name]
    const role = run.status(name)?.role ?? ''
    return [name, role, String(run.pidOf(name)), clients, control, data, logFile(name)]
  })
  const titles = ['side', 'role', 'pid', 'clients', 'control', 'data', 'log']
  const tries = hints(where)
  const width = Math.max(...tries.map(([command]) => command.length))
  return [
    '',
    formatTable(titles, rows),
    '',
    ...about,
    '',
    'try, in another terminal:',
    ...tries.map(([command, effect]) => `  ${command.padEnd(width)}  ${effect}`.trimEnd()),
    '',
  ].join('\n')
}

/** What to try now: nobody is told to kill a side of a pair that is not protected. */
export function hints({ run, ports, dir, pair, colo, isShipped }: Whereabouts): Hint[] {
  const primary = run.holderOf('primary') ?? 'a'
  const portOf = (name: SideName) => ports[name].clients.split(':').at(-1)
  const ask = (name: SideName, question: string) =>
    isShipped
      ? `redis-cli -p ${portOf(name)} ${question}`
      : `nc ${ports[name].clients.replace(':', ' ')}`
  const below = dir === DEFAULT_DIR ? '' : ` --dir ${shellQuote(dir)}`
  const serving: Hint = [ask(primary, 'incr visits'), 'the guest is a service']
  const status: Hint = [
    `${colo} status --pair ${pair}${below}`,
    `both sides in a table (${colo} --help has more)`,
  ]
  if (run.whyNotProtected !== undefined) return [serving, status]
  return [
    serving,
    [`kill -9 ${run.pidOf(primary)}`, 'the other side goes on, with every acknowledged write:'],
    [ask(otherSide(primary), 'get visits'), ''],
    status,
  ]
}
