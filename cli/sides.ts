// Every side of one pair that is known, whether it lives or not: by the run files below --dir, and by the peer
// that a living side names. A side that does not answer is shown as what it is, and never left out.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { isRunning } from '../daemon/living-process.ts'
import { runFilesBelow, type RunFile } from '../daemon/run-files.ts'
import type { Status } from '../shared/protocol/control-messages.ts'
import { CliError, oneLine } from '../terminal/exit-codes.ts'
import {
  addressTarget,
  askStatus,
  chooseTargets,
  targetOf,
  type Target,
  type TargetOptions,
} from './targets.ts'

export interface KnownSide {
  readonly name: string
  readonly pair: string
  readonly target: Target
  /** Undefined for a side that is known by its address alone. */
  readonly run: RunFile | undefined
}

/** A side without a status. Its names are those of a status, as far as it has them. */
export interface AbsentSide {
  readonly name: string
  readonly pair: string
  readonly pid?: number
  readonly state: 'dead' | 'no answer'
  readonly reason: string
  /** The newest generation that it has seen, if it left word of it. */
  readonly generation?: number
  readonly addresses: Partial<Status['addresses']>
}

export type SideRow = Status | AbsentSide

export const isAbsent = (row: SideRow): row is AbsentSide =>
  row.state === 'dead' || row.state === 'no answer'

const knownOf = (run: RunFile, tokenFile: string | undefined): KnownSide => ({
  ...{ name: run.name, pair: run.pair, run, target: targetOf(run, tokenFile) },
})

/** The sides of one pair that the options leave, the dead ones too; at least one. */
export function chooseSides(options: TargetOptions): KnownSide[] {
  const { dir, pair, name, at, tokenFile } = options
  if (at !== undefined) {
    return [{ name: '', pair: '', run: undefined, target: addressTarget(at, tokenFile) }]
  }
  const all = runFilesBelow(dir)
  const living = new Set(all.filter((run) => isRunning(run)).map((run) => run.pair))
  const fitting = all.filter(
    (run) =>
      (pair === undefined ? living.size === 0 || living.has(run.pair) : run.pair === pair) &&
      (name === undefined || run.name === name),
  )
  const pairs = new Set(fitting.map((run) => run.pair))
  if (pairs.size === 1) return fitting.map((run) => knownOf(run, tokenFile))
  // Says which there are.
  chooseTargets(options)
  throw new CliError('nobody', `no daemon lives below ${dir}`)
}

/** A row for each side, in their order, and one for the peer of a side that stands alone in the list. */
export async function askSides(
  sides: readonly KnownSide[],
  { digest = false, withPeer = false } = {},
): Promise<SideRow[]> {
  const rows = await Promise.all(sides.map(async (side) => ask(side, digest)))
  const [only] = rows
  if (!withPeer || rows.length !== 1 || only === undefined || isAbsent(only)) return rows
  return [only, await askPeer(only, digest)]
}

async function ask(side: KnownSide, digest: boolean): Promise<SideRow> {
  const { name, pair, run, target } = side
  if (run !== undefined && !isRunning(run)) {
    return absent(run, 'dead', `dead (pid ${run.pid} ended)`)
  }
  try {
    const status = await askStatus(target, digest)
    if (run === undefined || (status.name === name && status.pair === pair)) return status
    const who = `${status.pair}/${status.name}`
    return absent(run, 'no answer', `no answer: ${who} listens at ${run.control} now`)
  } catch (error) {
    if (run === undefined) throw error
    return absent(run, 'no answer', `no answer at ${run.control}: ${whyNoAnswer(error)}`)
  }
}

async function askPeer(status: Status, digest: boolean): Promise<SideRow> {
  const { address, name } = status.peer
  const what = `${status.name}'s peer`
  const row = { name: name || '?', pair: status.pair, state: 'no answer' } as const
  const addresses = { control: address }
  try {
    const peer = await askStatus(addressTarget(address, undefined), digest)
    if (peer.pair === status.pair && peer.incarnation !== status.incarnation) return peer
    const who = `${peer.pair}/${peer.name}`
    return { ...row, reason: `no answer of ${what}: ${who} listens at ${address}`, addresses }
  } catch (error) {
    const reason = `no answer of ${what} at ${address}: ${whyNoAnswer(error)}`
    return { ...row, reason, addresses }
  }
}

function whyNoAnswer(error: unknown): string {
  const cause = error instanceof CliError ? error.cause : error
  return oneLine(cause) || 'no connection'
}

function absent(run: RunFile, state: AbsentSide['state'], reason: string): AbsentSide {
  const { name, pair, pid, control, data, clients } = run
  const generation = seenGeneration(run)
  return {
    ...{ name, pair, pid, state, reason },
    ...(generation === undefined ? {} : { generation }),
    addresses: { control, data, clients },
  }
}

const seenSchema = z.object({ generation: z.int().nonnegative() })

function seenGeneration({ start, pair, name }: RunFile): number | undefined {
  if (start === undefined) return undefined
  try {
    const file = resolve(start.folder, start.config.dir, pair, `${name}.seen`)
    return seenSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).generation
  } catch {
    return undefined
  }
}
