// Where the lines of the log go, so that nothing which becomes of them holds up or ends the daemon: a full disk, a
// failing one, a folder that was removed, a reader that died or that stands still. One write is under way at a time,
// beside everything else; the lines behind it wait in a queue with a limit, and what does not fit is dropped and
// counted. A write that failed is tried again. A pipe and a terminal are written to without blocking: a blocked
// write would keep the process from ending.

import {
  close,
  constants,
  fstat,
  fstatSync,
  mkdir,
  mkdirSync,
  open,
  openSync,
  stat,
  write,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'
import { isatty } from 'node:tty'
import { LIMITS } from '../shared/protocol/limits.ts'
import { describeFileError } from '../terminal/file-reasons.ts'
import type { Warnings } from './warnings.ts'

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_RDWR, O_WRONLY } = constants

const STDOUT = 1
const NEWLINE = 0x0a
/** A reader may be busy for this long before it counts as one that stands still. */
const STILL_MS = 1000
/** The first wait after an error, and each wait for a reader that is behind. */
const WAIT_MS = 20
/** Between two looks whether the file still is what its path names. */
const LOOK_AGAIN_MS = 1000

const FILE_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY

interface Target {
  readonly fd: number
  /** For messages. */
  readonly label: string
  /** A regular file with a path is opened anew when it was removed or moved. */
  readonly file: { readonly path: string; readonly ino: number; readonly dev: number } | undefined
}

const fileOf = (path: string, stats: Stats): Target['file'] =>
  stats.isFile() ? { path, ino: stats.ino, dev: stats.dev } : undefined

/** Throws one line that names the path and the way out. */
function openTarget(path: string | undefined): Target {
  if (path === undefined)
    return { fd: openStandardOutput(), label: 'standard output', file: undefined }
  try {
    mkdirSync(dirname(path), { recursive: true })
    const fd = openLog(path)
    return { fd, label: path, file: fileOf(path, fstatSync(fd)) }
  } catch (error) {
    throw new Error(`--log ${describeFileError(path, error, 'write')}`, { cause: error })
  }
}

/** A named pipe is opened for both directions: so it needs no reader yet, and outlives the one that it has. */
function openLog(path: string): number {
  try {
    return openSync(path, FILE_FLAGS)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    return openSync(path, O_RDWR | O_NONBLOCK | O_NOCTTY)
  }
}

/**
 * A pipe or a terminal is opened once more, since not to block is a property of an opening, and the one that was
 * inherited is shared with other processes. Where that cannot be done Node's own stream makes it so.
 */
function openStandardOutput(): number {
  if (fstatSync(STDOUT).isFile()) return STDOUT
  try {
    return openSync(`/proc/self/fd/${STDOUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    const { fd } = process.stdout as { readonly fd?: number }
    return fd ?? STDOUT
  }
}

export interface LogDestinationOptions {
  /** Without one: standard output. */
  readonly path: string | undefined
  /** The longest wait between two tries. */
  readonly retryMs: number
  readonly queueBytesMax?: number
  readonly warnings: Warnings
}

export class LogDestination {
  readonly #options: LogDestinationOptions
  readonly #queueBytesMax: number
  #target: Target
  #queue: string[] = []
  #queueBytes = 0
  /** What is left of the write under way, and whether it begins within a line. */
  #rest: Uint8Array | undefined
  #isWithinLine = false
  /** True while a write is under way or waits to be tried again. */
  #busy = false
  #timer: NodeJS.Timeout | undefined
  #waitMs = WAIT_MS
  #lost = 0
  #problem: string | undefined
  #stillSince: number | undefined
  #lookedAt = 0
  #closed = false
  #settled: (() => void)[] = []

  /** Throws one line if the file cannot be opened. */
  constructor(options: LogDestinationOptions) {
    this.#options = options
    this.#queueBytesMax = options.queueBytesMax ?? LIMITS.logQueueBytesMax
    this.#target = openTarget(options.path)
  }

  get isTerminal(): boolean {
    return isatty(this.#target.fd)
  }

  /** Takes one whole line. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.#closed) return
    if (this.#queueBytes + bytes > this.#queueBytesMax) {
      this.#lost++
      if (this.#problem === undefined) this.#warn(`${this.#target.label}: it takes no more lines`)
      return
    }
    this.#queue.push(line)
    this.#queueBytes += bytes
    if (!this.#busy) this.#next()
  }

  /** Resolves once every line is written, or a write has failed. Never rejects. */
  async settled(): Promise<void> {
    if (!this.#busy || this.#timer !== undefined) return undefined
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  /** Writes nothing more; what waits is dropped. */
  dispose(): void {
    this.#closed = true
    this.#queue = []
    this.#tell()
    const isWriting = this.#busy && this.#timer === undefined
    if (this.#target.fd !== STDOUT && !isWriting) close(this.#target.fd, () => undefined)
    clearTimeout(this.#timer)
  }

  #next(): void {
    this.#timer = undefined
    if (this.#closed) return
    this.#rest ??= this.#takeQueue()
    this.#busy = this.#rest !== undefined
    if (this.#rest === undefined) return this.#tell()
    const now = performance.now()
    const { file } = this.#target
    if (file !== undefined && now - this.#lookedAt > LOOK_AGAIN_MS) {
      this.#lookedAt = now
      return this.#look(file)
    }
    return this.#write(this.#rest)
  }

  #takeQueue(): Uint8Array | undefined {
    if (this.#queue.length === 0) return undefined
    const bytes = Buffer.from(this.#queue.join(''))
    this.#queue = []
    return bytes
  }

  #write(bytes: Uint8Array): void {
    write(this.#target.fd, bytes, 0, bytes.length, null, (error, count) => {
      if (error) return this.#failed(error)
      if (count === 0) return this.#failed(Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' }))
      this.#queueBytes -= count
      this.#rest = count < bytes.length ? bytes.subarray(count) : undefined
      this.#isWithinLine = bytes[count - 1] !== NEWLINE
      this.#wrote()
      return this.#next()
    })
  }

  #wrote(): void {
    this.#waitMs = WAIT_MS
    this.#stillSince = undefined
    if (this.#problem === undefined) return
    // A part of what waited may fit where the whole does not: it is over when nothing is left over.
    if (this.#rest !== undefined) return
    this.#warn(this.#problem)
    this.#problem = undefined
    this.#lost = 0
    this.#options.warnings.clear('log')
  }

  #failed(error: NodeJS.ErrnoException): void {
    const isBehind = error.code === 'EAGAIN' || error.code === 'EBUSY'
    const now = performance.now()
    if (isBehind) {
      this.#stillSince ??= now
      if (now - this.#stillSince > STILL_MS || this.#lost > 0) {
        this.#warn(`${this.#target.label}: its reader stands still: end or continue it`)
      }
    } else {
      this.#warn(describeFileError(this.#target.label, error, 'write'))
      this.#waitMs = Math.min(this.#options.retryMs, 2 * this.#waitMs)
    }
    this.#timer = setTimeout(() => this.#next(), isBehind ? WAIT_MS : this.#waitMs)
    this.#timer.unref()
    this.#tell()
  }

  #warn(problem: string): void {
    this.#problem = problem
    const lines = this.#lost === 1 ? '1 line was lost' : `${this.#lost} lines were lost`
    this.#options.warnings.set('log', `the log ${problem}; ${lines}`)
  }

  /** Whether the path still names the file that is open: it may have been removed, or moved to rotate logs. */
  #look({ path, ino, dev }: NonNullable<Target['file']>): void {
    stat(path, (error, found) => {
      const isGone = error?.code === 'ENOENT' || error?.code === 'ENOTDIR'
      const isOther = !error && (found.ino !== ino || found.dev !== dev)
      return isGone || isOther ? this.#reopen(path) : this.#goOn()
    })
  }

  #reopen(path: string): void {
    const failed = (error: NodeJS.ErrnoException) => {
      this.#lookedAt = 0
      this.#failed(error)
    }
    mkdir(dirname(path), { recursive: true }, (folderError) => {
      if (folderError) return failed(folderError)
      return open(path, FILE_FLAGS, (error, fd) => {
        if (error) return failed(error)
        return fstat(fd, (statError, stats) => {
          if (statError) return failed(statError)
          if (this.#target.fd !== STDOUT) close(this.#target.fd, () => undefined)
          this.#target = { ...this.#target, fd, file: fileOf(path, stats) }
          this.#dropPart()
          return this.#goOn()
        })
      })
    })
  }

  #goOn(): void {
    if (this.#closed) return undefined
    return this.#rest === undefined ? this.#next() : this.#write(this.#rest)
  }

  /** The rest of a line whose beginning is in the file of before. */
  #dropPart(): void {
    const rest = this.#rest
    if (rest === undefined || !this.#isWithinLine) return
    const end = rest.indexOf(NEWLINE) + 1
    this.#lost++
    this.#queueBytes -= end
    this.#isWithinLine = false
    this.#rest = end < rest.length ? rest.subarray(end) : undefined
    this.#warn(`${this.#target.label}: it was removed or moved within a line`)
  }

  #tell(): void {
    for (const resolve of this.#settled.splice(0)) resolve()
  }
}
