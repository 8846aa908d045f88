// The options that configure a daemon, for `colo primary`, `colo secondary` and `colo up`, which gives them on
// to its children. Each delay of the table is an option; nothing is written down twice.

import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ZodError } from 'zod'
import {
  chooseWitness,
  configSchema,
  MEMORY_BYTES_MAX,
  MEMORY_REFUSED,
  type Config,
  type ConfigInput,
} from '../daemon/config.ts'
import { splitAddress } from '../network/address.ts'
import { DIRTY_MODES, type DirtyMode } from '../keepers/wasm/guest-module.ts'
import { DELAYS, DELAY_NAMES, type DelayName } from '../shared/protocol/delays.ts'
import { CliError, oneLine } from '../terminal/exit-codes.ts'
import { DEFAULT_DIR, SHIPPED_GUEST } from './places.ts'
import { parseDuration, parseMs, parseSize } from '../terminal/units.ts'

/** A parser as commander wants it: its message becomes the usage error. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError(oneLine(error))
    }
  }
}

/** `suspectMs` is `--suspect-ms`. */
export const optionName = (name: string) => `--${kebab(name)}`

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const DELAY_HELP = 'Delays (400 or 400ms or 0.4s):'

/** What `colo up` and a single daemon have in common. */
export interface GuestOptions {
  readonly dir: string
  readonly guest: string
  readonly memory: number
  readonly dirty: DirtyMode
  readonly witness: string
  readonly failback: 'auto' | 'manual'
  readonly record?: string
  readonly period?: number
}

export type DelayOptions = Partial<Record<DelayName, number>>

function parseMemory(text: string): number {
  const bytes = argument(parseSize)(text)
  if (bytes > MEMORY_BYTES_MAX) throw new CliError('usage', `--memory: ${MEMORY_REFUSED}`)
  return bytes
}

export function addGuestOptions(command: Command): Command {
  const failback = new Option(
    '--failback <how>',
    'whether a survivor takes a new secondary by itself',
  )
  return command
    .option('--dir <folder>', 'where pairs keep tokens, registers, logs and run files', DEFAULT_DIR)
    .addOption(
      new Option('--guest <file>', 'the WebAssembly module to protect').default(
        SHIPPED_GUEST,
        'the shipped kv.wasm',
      ),
    )
    .addOption(
      new Option(
        '--memory <size>',
        "the most RAM of the guest, such as 64M or 1G; the pair's sides agree",
      )
        .argParser(parseMemory)
        .default(64 * 1024 * 1024, '64MiB'),
    )
    .addOption(
      new Option('--dirty <how>', "how the guest's dirty pages are found; both sides give the same")
        .choices(Object.keys(DIRTY_MODES))
        .env('COLO_DIRTY')
        .default('auto'),
    )
    .option(
      '--witness <kind>',
      'who judges a failover: file, file:FOLDER, operator or none',
      'file',
    )
    .addOption(failback.choices(['auto', 'manual']).default('auto'))
    .option('--record <folder>', "write each session's streams there, *.forward and *.back")
    .addOption(
      new Option(
        '--period <time>',
        'the idle maximum between checkpoints, such as 100ms',
      ).argParser(argument(parseDuration)),
    )
}

/** `behind`: the help has a line in their place, and `--help-delays` lists them. */
export function addDelayOptions(command: Command, behind = false): Command {
  if (behind) addHelpDelays(command)
  command.optionsGroup(DELAY_HELP)
  for (const name of DELAY_NAMES) {
    const { ms, meaning, whenItPasses } = DELAYS[name]
    const words = `${meaning}; then ${whenItPasses} (default: ${ms})`
    const option = new Option(`${optionName(name)} <time>`, words).argParser(argument(parseMs))
    command.addOption(option.hideHelp(behind))
  }
  return command
}

const DELAY_OPTIONS: ReadonlySet<string> = new Set(DELAY_NAMES.map(optionName))

export const isDelayOption = ({ long = '' }: Option): boolean => DELAY_OPTIONS.has(long)

function addHelpDelays(command: Command): void {
  const words = `lists ${DELAY_NAMES.length} delays, such as --suspect-ms, which are options too`
  command.option('--help-delays', words)
  command.on('option:help-delays', () => {
    for (const option of command.options) if (isDelayOption(option)) option.hideHelp(false)
    command.help()
  })
}

/** The delays that were given, `--period` included. */
export function delaysOf(options: DelayOptions & { period?: number }): DelayOptions {
  const given: DelayOptions = {}
  for (const name of DELAY_NAMES) {
    if (options[name] !== undefined) given[name] = options[name]
  }
  if (options.period !== undefined) given.periodMs = options.period
  return given
}

const OPTION_OF: Readonly<Record<string, string>> = { memoryBytes: 'memory' }

/** The checked configuration; throws a usage error that names the option. */
export function checkConfig(input: ConfigInput): Config {
  const result = configSchema.safeParse(input)
  if (!result.success) {
    const [issue] = (result.error as ZodError).issues
    const field = String(issue?.path.at(-1) ?? '')
    const option = optionName(OPTION_OF[field] ?? field)
    throw new CliError('usage', `${option}: ${issue?.message ?? 'not allowed'}`)
  }
  try {
    for (const field of ['control', 'data', 'clients', 'peer'] as const)
      splitAddress(result.data[field])
    chooseWitness(result.data)
  } catch (error) {
    throw new CliError('usage', oneLine(error), { cause: error })
  }
  checkDistinct(result.data)
  return result.data
}

function checkDistinct(config: Config): void {
  const seen = new Map<string, string>()
  for (const field of ['control', 'data', 'clients', 'peer'] as const) {
    const address = config[field]
    const other = seen.get(address)
    if (other !== undefined && !address.endsWith(':0')) {
      throw new CliError(
        'usage',
        `--${other} and --${field} are both ${address}: give each its own port`,
      )
    }
    seen.set(address, field)
  }
}
