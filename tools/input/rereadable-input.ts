// An input that is read more than once. A pipe is kept in a temporary file, which has no name any more as soon as it
// is open: however the process ends, nothing is left of it.

import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, type Stats } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ByteSource } from '../../formats/qemu/file/qemu-file.ts'
import { FdSource } from './fd-source.ts'
import { fileError } from '../../terminal/file-error.ts'
import { FirstBytes, KIND_BYTES } from './stream-kind.ts'
import { writeWhole } from '../../terminal/whole-write.ts'

const CHUNK_BYTES = 1024 * 1024
const STDIN = '-'

/** A file descriptor, read from its first byte on, whoever else reads it. */
export class PlacedSource implements ByteSource {
  readonly #fd: number
  readonly #path: string
  readonly #first = new FirstBytes()
  #position = 0

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  /** The first bytes, once they were read. */
  get first(): Uint8Array {
    return this.#first.bytes
  }

  /** The file stays open: it may be read again. */
  close(): void {}

  /** Raises CliError. */
  read(into: Uint8Array): number {
    try {
      const bytes = readSync(this.#fd, into, 0, into.length, this.#position)
      this.#position += bytes
      this.#first.add(into, 0, bytes)
      return bytes
    } catch (error) {
      throw fileError(this.#path, error)
    }
  }
}

export class RereadableInput {
  readonly fd: number
  readonly path: string

  /** `-` is standard input. Raises CliError. */
  constructor(path: string) {
    this.path = path
    try {
      const fd = path === STDIN ? undefined : openSync(path, 'r')
      if (fd !== undefined && fstatSync(fd).isFile()) {
        this.fd = fd
        return
      }
      // Opened once: whoever writes into a named pipe would not wait for a second reader.
      this.fd = keep(new FdSource(path, fd))
    } catch (error) {
      throw fileError(path, error)
    }
  }

  get stats(): Stats {
    return fstatSync(this.fd)
  }

  /** The bytes that tell what it is. */
  first(): Uint8Array {
    const first = new Uint8Array(KIND_BYTES)
    return first.subarray(0, readSync(this.fd, first, 0, first.length, 0))
  }

  /** From its first byte on. */
  open(): PlacedSource {
    return new PlacedSource(this.fd, this.path)
  }

  close(): void {
    closeSync(this.fd)
  }
}

/** What cannot be kept is an error of the folder for temporary files, and no flaw of the input. */
function keep(source: FdSource): number {
  const chunk = new Uint8Array(CHUNK_BYTES)
  const place = tmpdir()
  try {
    const fd = openNameless(place)
    for (let got = source.read(chunk); got > 0; got = source.read(chunk)) {
      writeWhole(fd, chunk.subarray(0, got))
    }
    return fd
  } catch (error) {
    throw fileError(`${place} (TMPDIR), which keeps what a pipe brings`, error, 'write')
  } finally {
    source.close()
  }
}

function openNameless(place: string): number {
  const folder = mkdtempSync(join(place, 'colo-input-'))
  try {
    return openSync(join(folder, 'input'), 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
