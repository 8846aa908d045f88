// What `colo primary` and `colo secondary` share: the two differ in one word, their role, and in the defaults
// that let a pair be started on one machine without an argument.

import { Option, type Command } from 'commander'
import { LOG_FORMATS, type LogFormat } from '../daemon/config.ts'
import type { Role } from '../shared/protocol/words.ts'
import {
  addDelayOptions,
  addGuestOptions,
  checkConfig,
  delaysOf,
  type DelayOptions,
  type GuestOptions,
} from './daemon-options.ts'
import { runDaemon } from './run-daemon.ts'

const local = (port: number) => `127.0.0.1:${port}`

const DEFAULTS = {
  primary: {
    name: 'a',
    control: local(7380),
    data: local(7382),
    clients: local(6380),
    peer: local(7381),
  },
  secondary: {
    name: 'b',
    control: local(7381),
    data: local(7383),
    clients: local(6381),
    peer: local(7380),
  },
} as const

interface OneSideOptions extends GuestOptions {
  readonly name: string
  readonly pair: string
  readonly control: string
  readonly data: string
  readonly advertiseData?: string
  readonly clients: string
  readonly peer: string
  readonly tokenFile?: string
  readonly httpHost?: readonly string[]
  readonly log?: string
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly logFormat: LogFormat
  readonly withParent?: boolean
  readonly new: boolean
}

export function oneSide(command: Command, role: Role): Command {
  const defaults = DEFAULTS[role]
  command
    .option('--name <name>', 'what this side is called', defaults.name)
    .option('--pair <name>', 'what the pair is called; both sides give the same', 'pair')
    .option('--control <host:port>', 'where peers and operators come', defaults.control)
    .option('--data <host:port>', 'where the checkpoints go through', defaults.data)
    .option(
      '--advertise-data <host:port>',
      'what the peer dials instead (a proxy, a published port)',
    )
    .option('--clients <host:port>', "where the guest's clients come", defaults.clients)
    .option('--peer <host:port>', 'the control address of the other side', defaults.peer)
  addGuestOptions(command)
    .option(
      '--token-file <file>',
      'the secret of the pair (DIR/PAIR/token, made at the first start)',
    )
    .option(
      '--new',
      "found the pair without the peer's word; only for a pair that never ran",
      false,
    )
    .option(
      '--http-host <name>',
      'a name that requests to --control may have in Host, beside addresses and localhost; repeatable',
      (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
    )
    .option('--log <file>', 'write the log there (standard output)')
    .addOption(
      new Option('--log-level <level>', 'the least that is logged')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', `auto: ${LOG_FORMATS.auto}`)
        .choices(Object.keys(LOG_FORMATS))
        .default('auto'),
    )
    .addOption(new Option('--with-parent', 'end when the parent process does').hideHelp())
  return addDelayOptions(command).action(async (options: OneSideOptions & DelayOptions) => {
    const { memory, dirty, withParent = false, new: isNew, httpHost = [], ...rest } = options
    const { name, pair, dir, control, data, advertiseData, clients, peer, guest, witness } = rest
    const { failback, tokenFile, record, log, logLevel, logFormat } = rest
    const addresses = { control, data, advertiseData, clients, peer }
    const kept = { dir, tokenFile, record, log, logLevel, logFormat }
    const config = checkConfig({
      ...{ name, pair, told: role, isNew, ...addresses, ...kept },
      ...{
        httpHosts: [...httpHost],
        guest,
        memoryBytes: memory,
        dirty,
        witness,
        failback,
        delays: delaysOf(options),
      },
    })
    await runDaemon(config, withParent)
  })
}
