// A file or a pipe as the source of a QEMUFile: read when it is asked, straight into the reader's buffer.

import { closeSync, openSync, readSync } from 'node:fs'
import type { ByteSource } from '../../formats/qemu/file/qemu-file.ts'
import { fileError } from '../../terminal/file-error.ts'
import { FirstBytes } from './stream-kind.ts'

const STDIN = 0
const RETRY_MS = 2

export class FdSource implements ByteSource {
  readonly #fd: number
  readonly #path: string
  readonly #first = new FirstBytes()

  /** `-` is standard input; `fd` is the file where it is open already. Raises CliError. */
  constructor(path: string, fd?: number) {
    this.#path = path
    try {
      this.#fd = fd ?? (path === '-' ? STDIN : openSync(path, 'r'))
    } catch (error) {
      throw fileError(path, error)
    }
  }

  /** The first bytes, once they were read: they tell what it is. */
  get first(): Uint8Array {
    return this.#first.bytes
  }

  read(into: Uint8Array): number {
    const bytes = this.#read(into)
    this.#first.add(into, 0, bytes)
    return bytes
  }

  #read(into: Uint8Array): number {
    for (;;) {
      try {
        return readSync(this.#fd, into, 0, into.length, null)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EOF') return 0
        if (code !== 'EAGAIN') throw fileError(this.#path, error)
        // A terminal or a pipe that does not block, and has nothing yet.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      }
    }
  }

  close(): void {
    if (this.#fd !== STDIN) closeSync(this.#fd)
  }
}
