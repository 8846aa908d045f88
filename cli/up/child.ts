// One life of one daemon: a child process with an IPC channel, whose end is the child's end, so that a daemon
// never outlives the `colo up` that started it, however that ends.

import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { COLO_SCRIPT } from '../places.ts'

const STDERR_CHARACTERS = 8000
const TAIL_LINES = 12
/** Of pino. */
const ERROR_LEVEL = 50

export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Child {
  readonly pid: number
  readonly logFile: string
  readonly ended: Promise<ChildEnd>
  end: ChildEnd | undefined
  /** This run wanted it to end. */
  wanted = false
  hung = false
  readonly #process: ChildProcess
  #stderr = ''

  constructor(args: readonly string[], logFile: string) {
    this.logFile = logFile
    this.#process = spawn(process.execPath, [COLO_SCRIPT, ...args, '--with-parent'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.pid = this.#process.pid ?? 0
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS)
    })
    this.ended = new Promise((resolve) => {
      const settle = (code: number | null, signal: NodeJS.Signals | null) => {
        this.end ??= { code, signal }
        resolve(this.end)
      }
      this.#process.once('close', settle)
      this.#process.once('error', (error) => {
        this.#stderr += error.message
        settle(1, null)
      })
    })
  }

  signal(signal: NodeJS.Signals): void {
    if (this.end === undefined) this.#process.kill(signal)
  }

  /** It ended by an error of its own, not by a request and not by somebody's signal. */
  get crashed(): boolean {
    if (this.end === undefined) return false
    const { code, signal } = this.end
    if (signal === null) return code !== 0
    return signal !== 'SIGKILL' && signal !== 'SIGTERM' && signal !== 'SIGINT'
  }

  /** In place of a state. */
  get absence(): string {
    return `dead (pid ${this.pid} ended: ${this.describeEnd()})`
  }

  describeEnd(): string {
    const { code = null, signal = null } = this.end ?? {}
    return signal === null ? `exit code ${code}` : signal
  }

  /** What it said last: its errors, then the end of its log. */
  tail(): string {
    const lines = this.#stderr.trimEnd().split('\n').filter(Boolean)
    let log: string[] = []
    try {
      log = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES)
    } catch {
      // A daemon that failed at its start has no log yet.
    }
    return [...lines, ...log].map((line) => `    ${line}`).join('\n')
  }

  /** The first error of its log: the others follow from it. */
  get firstError(): string | undefined {
    try {
      const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n')
      const rows = lines.map((line) => JSON.parse(line) as { level?: number; msg?: string })
      return rows.find(({ level = 0 }) => level >= ERROR_LEVEL)?.msg
    } catch {
      return undefined
    }
  }

  get complaint(): string {
    return this.#stderr.trim().split('\n')[0] ?? ''
  }
}
