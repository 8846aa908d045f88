// A run file tells where a living daemon is found: its addresses, its pid and where the token of its pair lies. Two
// living daemons never have one name: the first one's run file stays, and the second does not start.
//
//   DIR/PAIR/token         DIR/PAIR/NAME.json      DIR/PAIR/witness/gen-N.TAG  DIR/PAIR/NAME.seen

import { readFileSync, readdirSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { isRunning, isThisProcess } from './living-process.ts'

const runFileSchema = z.object({
  name: z.string(),
  pair: z.string(),
  pid: z.int(),
  /** Which process of this pid; older daemons do not write it. */
  started: z.string().optional(),
  told: z.enum(['primary', 'secondary']),
  control: z.string(),
  data: z.string(),
  clients: z.string(),
  tokenFile: z.string(),
  guest: z.string(),
  /** What the daemon was started with; a run file of another version may have none. */
  start: z.object({ folder: z.string(), config: configSchema }).optional().catch(undefined),
})

export type RunFile = z.infer<typeof runFileSchema>

/** A living daemon has this name already. */
export class NameTaken extends Error {
  constructor({ name, pair, pid, control }: RunFile, file: string) {
    super(
      `${name} of pair \`${pair}\` runs already, pid ${pid}, control at ${control}: ` +
        `give another --name or --dir, or stop that one (${file} names it)`,
    )
  }
}

/** Others may replace the file between two looks at it. */
const TRIES = 5

export function runFilePath(dir: string, pair: string, name: string): string {
  return join(dir, pair, `${name}.json`)
}

/** Throws NameTaken if a living daemon other than this process has the name. */
export function refuseTakenName(dir: string, pair: string, name: string): void {
  const file = runFilePath(dir, pair, name)
  refuseLiving(readRunFile(file), file)
}

/** Puts the run file in its place. Rejects with NameTaken if a living daemon was first, or with the system's error. */
export async function writeRunFile(dir: string, run: RunFile): Promise<void> {
  const file = runFilePath(dir, run.pair, run.name)
  const draft = `${file}.draft-${run.pid}`
  await mkdir(dirname(file), { recursive: true })
  try {
    await writeFile(draft, `${JSON.stringify(run, undefined, 2)}\n`)
    for (let tries = 1; !(await isLinked(draft, file)); tries++) {
      if (tries === TRIES) throw new Error(`${file} is replaced again and again: who writes it?`)
      await moveAway(file, `${draft}-old`)
    }
  } finally {
    await rm(draft, { force: true }).catch(() => undefined)
  }
}

async function isLinked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

/** The run file of a dead daemon, or an older one of this process, is removed; that of a living one stays. */
async function moveAway(file: string, aside: string): Promise<void> {
  refuseLiving(await readRunFileLater(file), file)
  try {
    await rename(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    // A daemon that started at the same moment may have put its own there since the first look.
    refuseLiving(await readRunFileLater(aside), file)
  } catch (error) {
    await isLinked(aside, file)
    throw error
  } finally {
    await rm(aside, { force: true })
  }
}

function refuseLiving(other: RunFile | undefined, file: string): void {
  if (other && isRunning(other) && !isThisProcess(other)) throw new NameTaken(other, file)
}

/** Removes the run file of this process; another one's stays. */
export async function removeRunFile(dir: string, pair: string, name: string): Promise<void> {
  const file = runFilePath(dir, pair, name)
  const run = await readRunFileLater(file)
  if (run !== undefined && isThisProcess(run)) await rm(file, { force: true })
}

/** Every daemon that left a run file below `dir` and lives, by pair and name. */
export function livingDaemons(dir: string): RunFile[] {
  return runFilesBelow(dir).filter((run) => isRunning(run))
}

/** Every run file below `dir`, also of daemons that ended without removing theirs. */
export function runFilesBelow(dir: string): RunFile[] {
  const found: RunFile[] = []
  for (const pair of listFolder(dir)) {
    for (const entry of listFolder(join(dir, pair))) {
      if (!entry.endsWith('.json')) continue
      const run = readRunFile(join(dir, pair, entry))
      if (run) found.push(run)
    }
  }
  return found.toSorted((a, b) => `${a.pair}/${a.name}`.localeCompare(`${b.pair}/${b.name}`))
}

/** Undefined if it is no run file. */
export function readRunFile(file: string): RunFile | undefined {
  try {
    return parseRunFile(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** For a daemon that runs: it waits for no disk. */
async function readRunFileLater(file: string): Promise<RunFile | undefined> {
  try {
    return parseRunFile(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

const parseRunFile = (text: string): RunFile => runFileSchema.parse(JSON.parse(text))

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
