// What the daemons of a pair leave on disk for whoever looks for them: the token that verbs need (made by the
// first daemon, readable by its owner alone) and a run file for each daemon, with its addresses and pid.
//
//   DIR/PAIR/token         DIR/PAIR/NAME.json      DIR/PAIR/witness/gen-N      DIR/PAIR/NAME.seen

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { configSchema } from './config.ts'

const runFileSchema = z.object({
  name: z.string(),
  pair: z.string(),
  pid: z.int(),
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

/** The token of the pair: read, or made at the first start with mode 0600. Two starters agree on one. */
export function readOrMakeToken(file: string): string {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  const handle = openSync(draft, 'w', 0o600)
  writeFileSync(handle, `${randomBytes(24).toString('hex')}\n`)
  fsyncSync(handle)
  closeSync(handle)
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  const token = readToken(file)
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Error(`${file} is readable by others: chmod 600 ${file}`)
  }
  return token
}

/** Throws when there is none, or when it is empty. */
export function readToken(file: string): string {
  const token = readFileSync(file, 'utf8').trim()
  if (token.length < 8)
    throw new Error(`${file} holds no token: remove it, and a daemon makes a new one`)
  return token
}

export function runFilePath(dir: string, pair: string, name: string): string {
  return join(dir, pair, `${name}.json`)
}

export function writeRunFile(dir: string, run: RunFile): void {
  const file = runFilePath(dir, run.pair, run.name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.draft`, `${JSON.stringify(run, undefined, 2)}\n`)
  renameSync(`${file}.draft`, file)
}

export function removeRunFile(dir: string, pair: string, name: string): void {
  rmSync(runFilePath(dir, pair, name), { force: true })
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Every daemon that left a run file below `dir` and lives, by pair and name. */
export function livingDaemons(dir: string): RunFile[] {
  return runFilesBelow(dir).filter(({ pid }) => isAlive(pid))
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
    return runFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
