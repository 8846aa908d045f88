// `colo clean`: removes what pairs of before have left below DIR. It is careful: a folder goes only if it is a
// pair's and nothing else's, no daemon of it lives, and the pair ended for good.

import { lstatSync, readdirSync, readFileSync, rmSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { isRunning } from '../daemon/living-process.ts'
import { readRunFile, type RunFile } from '../daemon/run-files.ts'
import { OperatorClient } from '../network/control-client.ts'
import { CliError } from '../terminal/exit-codes.ts'
import { fileError } from '../terminal/file-error.ts'
import { teach } from '../terminal/help.ts'
import { DEFAULT_DIR } from './places.ts'
import { formatOption, type FormatOptions } from './status.ts'
import { formatTable } from '../terminal/table.ts'
import { livingUp, UP_PID_FILE, UP_PREFIX } from './up/place.ts'
import { showBytes } from '../terminal/units.ts'

const ANSWER_MS = 1000
const NAME = /^(?!\.+$)[\w.-]{1,100}$/
/** What daemons and `colo up` write into the folder of a pair; whatever else lies there is somebody's. */
const OWN_NAMES = [
  /^token(\..+)?$/,
  /^witness$/,
  /^up\.pid$/,
  /^[\w.-]+\.(json|seen|log|register)(\.[\w.-]+)?$/,
] as const

interface CleanOptions extends FormatOptions {
  readonly dir: string
  readonly pair?: string
  readonly dryRun: boolean
  readonly all: boolean
}

export interface CleanRow {
  readonly pair: string
  readonly folder: string
  readonly bytes: number
  readonly action: 'removed' | 'would be removed' | 'kept'
  readonly why: string
}

interface Judgement {
  readonly goes: boolean
  readonly why: string
}

export function addClean(program: Command): void {
  const command = program
    .command('clean')
    .description('remove the folders of pairs that ended')
    .option('--dir <folder>', 'where the pairs keep their folders', DEFAULT_DIR)
    .option('--pair <name>', 'only the folder of this pair')
    .option('--dry-run', 'say what would be removed, and remove nothing', false)
    .option(
      '--all',
      'also pairs that were not stopped, and folders with files of somebody else',
      false,
    )
    .addOption(formatOption('json: one object, with a row for each folder'))
    .action(clean)
  teach(command, {
    when:
      'each `colo up` leaves a folder below .colo, with a token, a register and two logs. This removes\n' +
      '  those, and the folders of other pairs that were stopped as a whole. A pair of which a daemon lives\n' +
      '  is never touched, nor is a folder that is no pair. A pair that was not stopped needs --all: after\n' +
      '  that its sides begin with a cold guest, and a side that lives on another machine loses its witness.',
    examples: [
      ['colo clean --dry-run', 'what would go, and how many bytes it has'],
      ['colo clean', 'pairs of `colo up`, and pairs that were stopped'],
      ['colo clean --pair old --all', 'the folder of one pair, stopped or not'],
    ],
  })
}

async function clean(options: CleanOptions): Promise<void> {
  const { dir, dryRun, format } = options
  const rows: CleanRow[] = []
  for (const pair of pairsBelow(options)) {
    rows.push(await cleanOne(pair, options))
  }
  const going = rows.filter(({ action }) => action !== 'kept')
  const bytes = going.reduce((sum, row) => sum + row.bytes, 0)
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify({ dir, dryRun, bytes, pairs: rows }, undefined, 2)}\n`)
  } else process.stdout.write(`${describe(options, rows, bytes)}\n`)
  const [only] = rows
  if (options.pair !== undefined && only?.action === 'kept') {
    throw new CliError('usage', `pair ${only.pair} is kept: ${only.why}`)
  }
}

function describe({ dir, dryRun }: CleanOptions, rows: readonly CleanRow[], bytes: number): string {
  if (rows.length === 0) return `no folder of a pair below ${dir}`
  const cells = rows.map((row) => [row.pair, showBytes(row.bytes), row.action, row.why])
  const count = rows.filter(({ action }) => action !== 'kept').length
  const sum = `${count} ${count === 1 ? 'pair' : 'pairs'}, ${showBytes(bytes)}`
  const table = formatTable(['pair', 'size', 'action', 'why'], cells)
  return `${table}\n\n${dryRun ? 'would be removed' : 'removed'}: ${sum}`
}

/** The folders below `dir` that are pairs'. A link is none, wherever it leads. */
function pairsBelow({ dir, pair }: CleanOptions): string[] {
  if (pair !== undefined && !NAME.test(pair)) {
    throw new CliError('usage', `--pair ${JSON.stringify(pair)}: letters, digits, dots and dashes`)
  }
  const found = listFolder(dir).filter(
    (entry) => entry.isDirectory() && NAME.test(entry.name) && isPairFolder(join(dir, entry.name)),
  )
  const names = found.map(({ name }) => name).filter((name) => pair === undefined || name === pair)
  if (pair !== undefined && names.length === 0) {
    throw new CliError('usage', `there is no folder of a pair ${pair} below ${dir}`)
  }
  return names.toSorted()
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw fileError(folder, error)
  }
}

/** A pair's folder has a token, or a run file, of its own. */
function isPairFolder(folder: string): boolean {
  return listFolder(folder).some(
    (entry) =>
      entry.isFile() &&
      (entry.name === 'token' ||
        entry.name === UP_PID_FILE ||
        (entry.name.endsWith('.json') && readRunFile(join(folder, entry.name)) !== undefined)),
  )
}

async function cleanOne(pair: string, options: CleanOptions): Promise<CleanRow> {
  const folder = join(options.dir, pair)
  const bytes = bytesOf(folder)
  const { goes, why } = await judge(pair, folder, options.all)
  if (!goes) return { pair, folder, bytes, action: 'kept', why }
  if (options.dryRun) return { pair, folder, bytes, action: 'would be removed', why }
  try {
    // Removes links, and never what they lead to.
    rmSync(folder, { recursive: true })
  } catch (error) {
    throw fileError(folder, error, 'write')
  }
  return { pair, folder, bytes, action: 'removed', why }
}

async function judge(pair: string, folder: string, all: boolean): Promise<Judgement> {
  const up = livingUp(folder)
  if (up !== undefined) return { goes: false, why: `colo up runs it (pid ${up})` }
  for (const run of runFilesIn(folder)) {
    if (isRunning(run)) return { goes: false, why: `${run.name} lives (pid ${run.pid})` }
    // A daemon in a container, or on another machine, has a pid that means nothing here.
    const life = await lifeOf(run)
    if (life === 'answers') return { goes: false, why: `${run.name} answers at ${run.control}` }
    if (life === 'unknown' && !all) {
      const way = 'give --all, if it is dead'
      return { goes: false, why: `${run.name} may live: no answer at ${run.control}; ${way}` }
    }
  }
  const strange = listFolder(folder).find(({ name }) => !OWN_NAMES.some((own) => own.test(name)))
  if (strange !== undefined && !all) {
    return { goes: false, why: `${strange.name} is no file of a pair: move it, or give --all` }
  }
  if (pair.startsWith(UP_PREFIX)) return { goes: true, why: 'made by colo up' }
  if (isStopped(folder)) return { goes: true, why: 'stopped' }
  const way = 'give --all, if nobody needs it any more'
  return all
    ? { goes: true, why: 'not stopped; --all' }
    : { goes: false, why: `its register does not say stopped: ${way}` }
}

function runFilesIn(folder: string): RunFile[] {
  return listFolder(folder).flatMap((entry) => {
    const isRunFile = entry.isFile() && entry.name.endsWith('.json')
    return (isRunFile && readRunFile(join(folder, entry.name))) || []
  })
}

async function lifeOf({ control, pair, name }: RunFile): Promise<'answers' | 'dead' | 'unknown'> {
  try {
    const client = await OperatorClient.connect(control, ANSWER_MS)
    try {
      const { status } = await client.ask('status', {}, ANSWER_MS)
      return status?.pair === pair && status.name === name ? 'answers' : 'dead'
    } finally {
      client.close()
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const isOutOfReach = /^(EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/.test(code)
    return isOutOfReach || /timed out|no answer/.test(message) ? 'unknown' : 'dead'
  }
}

const registerSchema = z.object({
  generation: z.int().nonnegative(),
  holder: z.object({ kind: z.string() }),
})

/** The newest register of all that lie in the folder says so. */
function isStopped(folder: string): boolean {
  const registers = listFolder(folder)
    .filter((entry) => entry.isDirectory() && /^witness$|\.register$/.test(entry.name))
    .flatMap((entry) => registersIn(join(folder, entry.name)))
  const newest = Math.max(...registers.map(({ generation }) => generation))
  const last = registers.filter(({ generation }) => generation === newest)
  return last.length > 0 && last.every(({ kind }) => kind === 'stopped')
}

function registersIn(folder: string): { generation: number; kind: string }[] {
  return listFolder(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return registersIn(path)
    if (!entry.isFile() || !/^(gen-\d+\.\d+|register)$/.test(entry.name)) return []
    try {
      const { generation, holder } = registerSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
      return [{ generation, kind: holder.kind }]
    } catch {
      // One that can't be read may say anything.
      return [{ generation: Number.POSITIVE_INFINITY, kind: 'unreadable' }]
    }
  })
}

function bytesOf(folder: string): number {
  return listFolder(folder).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? bytesOf(path) : lstatSync(path).size)
  }, 0)
}
