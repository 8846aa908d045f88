// A file that a verb writes. It is there as a whole or not at all: bytes go to a file beside it, which takes its name
// when all is written and is removed when something goes wrong, a signal included. What was there before stays until
// then. Standard output and devices are written as they are.

import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CliError } from '../../terminal/exit-codes.ts'
import { fileError } from '../../terminal/file-error.ts'
import { writeWhole } from '../../terminal/whole-write.ts'

const STDOUT = 1
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class OutputFile {
  readonly fd: number
  readonly #path: string
  /** The file that will have the name, and the one that is written until then. */
  readonly #target: string | undefined
  readonly #part: string | undefined
  #isOpen = true

  /** `-` is standard output; `input` is what is read meanwhile. Raises CliError, also if both are the same file. */
  constructor(path: string, input?: Stats) {
    this.#path = path
    try {
      const there = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false })
      if (there !== undefined && input !== undefined && isSame(there, input)) {
        throw new CliError('usage', `${path} is what is read: name another file to write`)
      }
      if (path === '-') this.fd = STDOUT
      else if (there !== undefined && !there.isFile()) this.fd = openSync(path, 'w')
      else {
        if (there !== undefined) accessSync(path, constants.W_OK)
        this.#target = there === undefined ? path : realpathSync(path)
        const name = `.colo-${process.pid}-${Date.now().toString(36)}.part`
        this.#part = join(dirname(this.#target), name)
        for (const signal of SIGNALS) process.on(signal, this.#interrupted)
        this.fd = openSync(this.#part, 'wx')
        if (there !== undefined) fchmodSync(this.fd, there.mode)
      }
    } catch (error) {
      this.#listenNoMore()
      throw fileError(path, error, 'write')
    }
  }

  /** Raises CliError. */
  write(bytes: Uint8Array): void {
    try {
      writeWhole(this.fd, bytes)
    } catch (error) {
      throw fileError(this.#path, error, 'write')
    }
  }

  /** All is written. Raises CliError. */
  finish(): void {
    try {
      this.#close()
      if (this.#part !== undefined && this.#target !== undefined) {
        renameSync(this.#part, this.#target)
      }
    } catch (error) {
      throw fileError(this.#path, error, 'write')
    }
    this.#listenNoMore()
  }

  /** Something went wrong. */
  discard(): void {
    this.#close()
    if (this.#part !== undefined) rmSync(this.#part, { force: true })
    this.#listenNoMore()
  }

  #listenNoMore(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupted)
  }

  #close(): void {
    if (this.#isOpen && this.fd !== STDOUT) closeSync(this.fd)
    this.#isOpen = false
  }

  /** Ends by the signal, as if nobody had listened. */
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.discard()
    process.kill(process.pid, signal)
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino
}
