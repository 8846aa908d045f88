// Which daemons a verb is for. They are found by the run files below --dir; --pair and --name choose among them;
// --at goes straight to an address. Where the choice is not clear, the error lists what there is.

import type { Command } from 'commander'
import { livingDaemons, type RunFile } from '../daemon/run-files.ts'
import { readToken } from '../daemon/token-file.ts'
import { splitAddress } from '../network/address.ts'
import { OperatorClient } from '../network/control-client.ts'
import type { Status } from '../shared/protocol/control-messages.ts'
import { CliError, oneLine } from '../terminal/exit-codes.ts'
import { DEFAULT_DIR } from './places.ts'

const CONNECT_MS = 2000
/** A digest reads all of the guest's memory: the default of a verb is right for that. */
const STATUS_MS = 2000

export interface TargetOptions {
  readonly dir: string
  readonly pair?: string
  readonly name?: string
  readonly at?: string
  readonly tokenFile?: string
}

export interface Target {
  readonly control: string
  readonly tokenFile: string | undefined
  /** `pair/name`, or the address that was given. */
  readonly label: string
  readonly pid: number | undefined
}

/** `--pair` is left out for the one verb that gives it another meaning. */
export function addTargetOptions(command: Command, withPair = true): Command {
  if (withPair) command.option('--pair <name>', 'the pair; needed where several live')
  return command
    .option('--name <name>', 'one side of it')
    .option('--dir <folder>', 'where the daemons keep their run files', DEFAULT_DIR)
    .option('--at <host:port>', 'the control address of a side, in place of all that')
    .option('--token-file <file>', 'the token of the pair (the one that the run file names)')
}

export const targetOf = (run: RunFile, tokenFile: string | undefined): Target => ({
  control: run.control,
  tokenFile: tokenFile ?? run.tokenFile,
  label: `${run.pair}/${run.name}`,
  pid: run.pid,
})

const list = (daemons: readonly RunFile[]) =>
  daemons.map(({ pair, name }) => `--pair ${pair} --name ${name}`).join(', ')

export function addressTarget(at: string, tokenFile: string | undefined): Target {
  try {
    splitAddress(at)
  } catch (error) {
    throw new CliError('usage', `--at ${oneLine(error)}`, { cause: error })
  }
  return { control: at, tokenFile, label: at, pid: undefined }
}

/** Every living daemon that the options leave, all of one pair; at least one. */
export function chooseTargets(options: TargetOptions): Target[] {
  const { dir, pair, name, at, tokenFile } = options
  if (at !== undefined) return [addressTarget(at, tokenFile)]
  const living = livingDaemons(dir)
  const fitting = living.filter(
    (one) => (pair === undefined || one.pair === pair) && (name === undefined || one.name === name),
  )
  if (fitting.length === 0) {
    const wish = [pair && `pair ${pair}`, name && `side ${name}`].filter(Boolean).join(', ')
    const way = living.length > 0 ? `; there is: ${list(living)}` : ': colo up starts a pair'
    const what = wish === '' ? 'no daemon' : `no daemon of ${wish}`
    throw new CliError('nobody', `${what} lives below ${dir}${way} (or give --dir or --at)`)
  }
  const pairs = new Set(fitting.map((one) => one.pair))
  if (pairs.size > 1) {
    throw new CliError('usage', `several pairs live below ${dir}, choose one: ${list(fitting)}`)
  }
  return fitting.map((run) => targetOf(run, tokenFile))
}

export async function connectTo(target: Target): Promise<OperatorClient> {
  try {
    return await OperatorClient.connect(target.control, CONNECT_MS)
  } catch (error) {
    const why = oneLine(error) || 'no connection'
    const way = 'is the daemon running, and is --at its control address?'
    throw new CliError(
      'nobody',
      `${target.label}: nobody answers at ${target.control}: ${why}; ${way}`,
      {
        cause: error,
      },
    )
  }
}

export interface Seen {
  readonly target: Target
  readonly status: Status
}

/** Rejects if the side does not answer. */
export async function askStatus(target: Target, digest = false): Promise<Status> {
  const client = await connectTo(target)
  try {
    if (digest) return await client.status(tokenOf(target))
    const { status } = await client.ask('status', {}, STATUS_MS)
    if (status === undefined) throw new Error('an answer without a status')
    return status
  } finally {
    client.close()
  }
}

/** The status of each that answers; at least one. */
export async function askStatuses(targets: readonly Target[], digest = false): Promise<Seen[]> {
  const asked = await Promise.allSettled(
    targets.map(async (target) => ({ target, status: await askStatus(target, digest) })),
  )
  const seen = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = asked.find((one) => one.status === 'rejected')
  if (seen.length === 0 && failed) throw asNobody(failed.reason)
  return seen
}

function asNobody(error: unknown): CliError {
  return error instanceof CliError ? error : new CliError('nobody', oneLine(error))
}

/** The one side that `fits`, or the only one there is. */
export async function chooseOne(
  targets: readonly Target[],
  what: string,
  fits: (status: Status) => boolean,
): Promise<Target> {
  const [only, ...others] = targets
  if (only !== undefined && others.length === 0) return only
  const seen = await askStatuses(targets)
  const fitting = seen.filter(({ status }) => fits(status))
  if (fitting[0] !== undefined && fitting.length === 1) return fitting[0].target
  const choices = seen.map(
    ({ status }) => `--name ${status.name} (${status.role}, ${status.state})`,
  )
  const count = fitting.length === 0 ? 'no side is' : 'more than one side is'
  throw new CliError('usage', `${count} ${what}, choose one: ${choices.join(', ')}`)
}

export function tokenOf(target: Target): string {
  if (target.tokenFile === undefined) {
    throw new CliError('usage', `${target.label}: this verb needs --token-file with --at`)
  }
  try {
    return readToken(target.tokenFile)
  } catch (error) {
    throw new CliError('usage', `the token can't be read: ${oneLine(error)}`, { cause: error })
  }
}
