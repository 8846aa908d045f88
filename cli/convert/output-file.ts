// The file that a conversion writes. It is there as a whole or not at all: whatever goes wrong removes it again.

import { closeSync, fstatSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import type { ByteSink } from '../../shared/formats/qemu/qemu-file.ts'
import { CliError, oneLine } from '../exit-codes.ts'

const STDOUT = 1
const RETRY_MS = 2

export class OutputFile implements ByteSink {
  readonly #path: string
  readonly #fd: number
  #bytes = 0

  /** `-` is standard output. Raises CliError, also if the file is the one that is read. */
  constructor(path: string, input: string) {
    this.#path = path
    if (path !== '-' && input !== '-' && isSame(path, input)) {
      throw new CliError('usage', `${path} is what is read: name another file to write`)
    }
    try {
      this.#fd = path === '-' ? STDOUT : openSync(path, 'w')
    } catch (error) {
      throw new CliError('usage', oneLine(error), { cause: error })
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(this.#fd, bytes, at)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EAGAIN') {
          throw new CliError('usage', `${this.#path}: ${oneLine(error)}`, { cause: error })
        }
        // A pipe that does not block says so when it is full.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      }
    }
    this.#bytes += bytes.length
  }

  close(): void {
    if (this.#fd !== STDOUT) closeSync(this.#fd)
  }

  /** Closes it, and removes it if it is a plain file. */
  discard(): void {
    const isPlain = this.#fd !== STDOUT && fstatSync(this.#fd).isFile()
    this.close()
    if (isPlain) rmSync(this.#path, { force: true })
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}
