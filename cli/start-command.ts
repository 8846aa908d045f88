// The command that starts a daemon again, whole: what `colo up` gives its children, and what a person copies
// to bring a dead side back. Paths are absolute, so that the terminal's folder does not matter.

import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { chooseWitness, type Config } from '../daemon/config.ts'
import type { RunFile } from '../daemon/run-files.ts'
import { DELAYS, DELAY_NAMES, delaysWith } from '../shared/protocol/delays.ts'
import type { Role } from '../shared/protocol/words.ts'
import { optionName } from './daemon-options.ts'
import { COLO_SCRIPT } from './places.ts'
import { showSize } from '../terminal/units.ts'
import { shellQuote } from '../terminal/wrap.ts'

export type StartConfig = Omit<
  Config,
  'told' | 'isNew' | 'logLevel' | 'logFormat' | 'httpHosts'
> & {
  readonly httpHosts?: Config['httpHosts']
  readonly logLevel?: Config['logLevel']
  readonly logFormat?: Config['logFormat']
}

const given = (name: string, value: string | undefined) =>
  value === undefined ? [] : [`--${name}`, value]

/** All but the role. `folder` is where the relative paths begin. */
export function daemonArguments(config: StartConfig, folder = process.cwd()): string[] {
  const path = (name: string | undefined) =>
    name === undefined ? undefined : resolve(folder, name)
  const { name, pair, control, data, clients, peer, guest, dirty, failback, logLevel, logFormat } =
    config
  const { kind, folder: register } = chooseWitness(config)
  const witness = config.witness === kind ? kind : `${kind}:${path(register)}`
  // A delay that follows from another one that was given needs no option of its own.
  const follows = delaysWith({ ...config.delays, dataStallMs: undefined }).dataStallMs
  const isGiven = config.delays.dataStallMs !== follows
  const delays = DELAY_NAMES.filter((delay) =>
    delay === 'dataStallMs' ? isGiven : config.delays[delay] !== DELAYS[delay].ms,
  )
  return [
    ...['--name', name, '--pair', pair, '--dir', resolve(folder, config.dir)],
    ...given('token-file', path(config.tokenFile)),
    ...given('log', path(config.log)),
    ...(logLevel === undefined || logLevel === 'info' ? [] : ['--log-level', logLevel]),
    ...(logFormat === undefined || logFormat === 'auto' ? [] : ['--log-format', logFormat]),
    ...['--control', control, '--data', data, '--clients', clients, '--peer', peer],
    ...given('advertise-data', config.advertiseData),
    ...(config.httpHosts ?? []).flatMap((host) => ['--http-host', host]),
    ...['--guest', resolve(folder, guest), '--memory', showSize(config.memoryBytes)],
    ...['--dirty', dirty, '--witness', witness, '--failback', failback],
    ...given('record', path(config.record)),
    ...delays.flatMap((delay) => [optionName(delay), String(config.delays[delay])]),
  ]
}

const LINKS = join('node_modules', '.bin')

/** What one types for `colo` in `folder`. Not `npx colo` where npx would look for it in the registry. */
export function coloWords(folder = process.cwd()): string[] {
  if (existsSync(join(folder, LINKS, 'colo'))) return ['npx', 'colo']
  return isOnPath() ? ['colo'] : ['node', shellQuote(COLO_SCRIPT)]
}

/** A terminal finds this very command by its name. What npm adds to PATH is there for its children only. */
function isOnPath(): boolean {
  const script = realpathSync(COLO_SCRIPT)
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    if (folder.endsWith(LINKS)) return false
    try {
      return realpathSync(join(folder, 'colo')) === script
    } catch {
      return false
    }
  })
}

/** The words of a command line, quoted, that bring this side back. It joins: the other one has the guest. */
export function returnCommand(
  args: readonly string[],
  role: Role = 'secondary',
  folder = process.cwd(),
): string[] {
  return [...coloWords(folder), role, ...args.map(shellQuote)]
}

/** The same from what the daemon left; undefined if it left no word of it. */
export function returnCommandOf({ start }: RunFile): string[] | undefined {
  return start && returnCommand(daemonArguments(start.config, start.folder))
}
