// How the benchmarks compare: two programs in turn, in the same minutes, as ratios of paired
// rounds.
//
// On a shared machine the same program runs at half its speed a minute later, so a figure alone
// says little. What holds is the ratio of two runs beside each other, taken many times: its median,
// with the smallest and the largest beside it. A comparison of a program with itself (an A/A arm)
// shows what such a ratio is worth. The programs to compare with lie in reference/; they print one
// JSON line each and are run from here.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { z } from 'zod'

// Statistics

/** Nearest rank, like the C programs: always a value that was measured. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('a quantile of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('a median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

export interface Ratios {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** What a[i] / b[i] were, round by round. */
export function ratios(a: readonly number[], b: readonly number[]): Ratios {
  if (a.length !== b.length) throw new Error(`${a.length} rounds cannot be paired with ${b.length}`)
  const paired = a.map((value, round) => value / b[round])
  return { median: median(paired), min: Math.min(...paired), max: Math.max(...paired) }
}

/**
 * Runs every arm once a round, one after the other; each arm's results are in the order of rounds.
 * Another arm begins each round (A B, B A, A B, ...), since who always comes after the same one
 * always finds the machine as that one left it.
 */
export async function alternate(
  rounds: number,
  arms: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number[]>> {
  const names = Object.keys(arms)
  const results: Record<string, number[]> = {}
  for (const name of names) results[name] = []
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]
      results[name].push(await arms[name]())
    }
  }
  return results
}

// The reference programs

/** A command and its first arguments, to which the verb and the rest are added. */
export type Program = readonly [command: string, ...first: string[]]

const here = dirname(fileURLToPath(import.meta.url))
const root = basename(dirname(here)) === 'dist' ? dirname(dirname(here)) : dirname(here)
const sources = join(root, 'bench', 'reference')
const binaries = join(root, 'dist', 'bench', 'reference')

const compileMs = 60_000

const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** A reference program that is written in TypeScript, as compiled by the build. */
export function nodeReference(name: string): Program {
  return [process.execPath, join(binaries, `${name}.js`)]
}

/**
 * The path of the compiled C program, or undefined where there is no gcc (`explain` hears why):
 * benchmarks go on without that arm. A source that does not compile is an error.
 */
export async function compileReference(
  name: string,
  explain: (reason: string) => void = console.error,
): Promise<string | undefined> {
  const target = join(binaries, name)
  const parts = readdirSync(sources).filter((file) => file === `${name}.c` || file.endsWith('.h'))
  const newest = Math.max(...parts.map((file) => changedAt(join(sources, file))))
  if (changedAt(target) > newest) return target

  mkdirSync(binaries, { recursive: true })
  const fresh = `${target}.${process.pid}` // two that compile at once must not meet in one file
  const source = join(sources, `${name}.c`)
  const flags = ['-O2', '-std=gnu17', '-o', fresh, source]
  try {
    await promisify(execFile)('gcc', flags, { timeout: compileMs })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    explain(`${name} is left out: there is no gcc on this machine to compile it with`)
    return undefined
  }
  renameSync(fresh, target)
  return target
}

const portLine = z.object({ port: z.int().min(1).max(65_535) })

/** The line of figures: times in milliseconds, and what else the program has to say. */
const figuresLine = z.object({
  p50: z.number().nonnegative(),
  p99: z.number().nonnegative().optional(),
  rounds: z.int().positive().optional(),
  pages: z.int().nonnegative().optional(),
  rate: z.number().optional(),
  mbPerS: z.number().optional(),
  equal: z.literal(true).optional(),
})
export type Figures = z.infer<typeof figuresLine>

/** A process whose first line on stdout is what it has to say. */
class Speaker {
  readonly #child: ChildProcess
  readonly #line: Promise<string>
  readonly #gone: Promise<void>
  readonly #killAtExit = () => this.#child.kill('SIGKILL')

  constructor(program: Program, args: readonly (string | number)[]) {
    const [command, ...rest] = [...program, ...args.map(String)] as [string, ...string[]]
    this.#child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    process.once('exit', this.#killAtExit)
    let said = ''
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text))
    const failed = new Promise<never>((_resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (status, signal) => {
        const name = `${basename(rest[0] ?? '')} ${rest.slice(1).join(' ')}`
        reject(new Error(`${command} ${name} ended (${status ?? signal}) without a line\n${said}`))
      })
    })
    this.#gone = failed.catch(() => {
      process.off('exit', this.#killAtExit)
    })
    const lines = createInterface({ input: this.#child.stdout! })
    const spoken = once(lines, 'line').then(([line]) => String(line))
    this.#line = Promise.race([spoken, failed])
    this.#line.catch(() => undefined) // whoever asks for the line hears of it; nobody has to ask
  }

  async says<T>(schema: z.ZodType<T>, deadline: Promise<never>): Promise<T> {
    return schema.parse(JSON.parse(await Promise.race([this.#line, deadline])))
  }

  /** Lets the process end by itself for `graceMs`, then kills it; resolves when it is gone. */
  async ended(graceMs: number): Promise<void> {
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.#gone
    clearTimeout(kill)
  }
}

async function withinMs<T>(ms: number, work: (deadline: Promise<never>) => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a reference program said nothing for ${ms} ms`)), ms)
  })
  try {
    return await work(deadline)
  } finally {
    clearTimeout(timer)
  }
}

const endMs = 1000

/** Runs `PROGRAM args`, gives its figures. Whatever happens, the process is gone on return. */
export async function runAlone(
  program: Program,
  args: readonly (string | number)[],
  deadlineMs = 60_000,
): Promise<Figures> {
  return withinMs(deadlineMs, async (deadline) => {
    const only = new Speaker(program, args)
    let graceMs = 0
    try {
      const figures = await only.says(figuresLine, deadline)
      graceMs = endMs
      return figures
    } finally {
      await only.ended(graceMs)
    }
  })
}

/**
 * Runs `PROGRAM serve serveArgs`, reads its port, runs `PROGRAM run PORT runArgs` and gives the
 * figures of that. `server` names another program for the first part. Whatever happens, both
 * processes are gone on return.
 */
export async function runReference(
  program: Program,
  serveArgs: readonly (string | number)[],
  runArgs: readonly (string | number)[],
  { deadlineMs = 60_000, server = program }: { deadlineMs?: number; server?: Program } = {},
): Promise<Figures> {
  return withinMs(deadlineMs, async (deadline) => {
    const serving = new Speaker(server, ['serve', ...serveArgs])
    let graceMs = 0
    try {
      const { port } = await serving.says(portLine, deadline)
      const figures = await runAlone(program, ['run', port, ...runArgs], deadlineMs)
      graceMs = endMs
      return figures
    } finally {
      await serving.ended(graceMs)
    }
  })
}
