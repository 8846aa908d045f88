// A side of a pair as its user starts it: the command `colo primary` or `colo secondary`, with a standard output
// that a test chooses.

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { COLO } from '../cli/command.ts'
import type { Name, Pair } from './pair.ts'

export interface CommandSide {
  readonly child: ChildProcess
  /** What it wrote to standard error so far. */
  readonly complaint: () => string
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

export interface CommandOptions {
  readonly stdout?: 'ignore' | 'pipe' | number
  /** Behind the others, so that they win. */
  readonly args?: readonly string[]
  /** Of another installation. */
  readonly script?: string
  /** Beside that of this process; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Not waited for: it may be meant to fail. The pair ends it. */
export function startCommand(
  pair: Pair,
  name: Name,
  told: 'primary' | 'secondary',
  { stdout = 'ignore', args = [], script = COLO, env = {} }: CommandOptions = {},
): CommandSide {
  const config = pair.config(name, told)
  const options = {
    ...{ name, pair: config.pair, dir: config.dir, guest: config.guest },
    ...{ control: config.control, data: config.data, clients: config.clients, peer: config.peer },
    ...{ memory: `${config.memoryBytes >> 20}MiB`, witness: config.witness, record: config.record },
    'log-level': config.logLevel,
  }
  const given = Object.entries(options).flatMap(([key, value]) =>
    value === undefined ? [] : [`--${key}`, value],
  )
  const stdio: StdioOptions = ['ignore', stdout, 'pipe']
  const child = spawn(process.execPath, [script, told, ...given, ...args], {
    ...{ stdio, env: { ...process.env, ...env } },
  })
  let complaint = ''
  child.stderr?.on('data', (bytes) => (complaint += String(bytes)))
  pair.processes.set(name, child)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return { child, complaint: () => complaint, ended }
}
