// A stream from a file or standard input, read in large pieces into one buffer. What its consumer
// need not see is not read at all where the input is a regular file: a gigabyte of pages costs no
// more than their page frame numbers.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { CliError, oneLine } from '../exit-codes.ts'

export interface StreamConsumer {
  /** The bytes [from, to) of `chunk`, valid only during the call. */
  push(chunk: Uint8Array, from: number, to: number): void
  /** Bytes that come next and that skip() takes instead of push(). */
  readonly skippable: number
  skip(bytes: number): void
  /** Nothing more has to be read. */
  readonly isDone: boolean
}

const STDIN = 0
const CHUNK_BYTES = 128 * 1024
/** Behind pages that were skipped it is mostly a record's header and words that are wanted. */
const CHUNK_BYTES_MIN = 32 * 1024
/** Passing over fewer bytes costs more than reading them. */
const SKIP_BYTES_MIN = 64 * 1024
const EMPTY_PIPE_MS = 1

/** Gives all of `path` to `consumer`; '-' is standard input. Throws a CliError of code `usage`. */
export function readStream(path: string, consumer: StreamConsumer): void {
  try {
    const file = path === '-' ? STDIN : openSync(path, 'r')
    try {
      if (path !== '-' && fstatSync(file).isFile()) readFile(file, consumer)
      else readPipe(file, consumer)
    } finally {
      if (file !== STDIN) closeSync(file)
    }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new CliError('usage', `${path}: ${oneLine(error)}`, { cause: error })
    }
    throw error
  }
}

function readFile(file: number, consumer: StreamConsumer): void {
  const chunk = new Uint8Array(CHUNK_BYTES)
  let position = 0
  let wanted = CHUNK_BYTES_MIN
  while (!consumer.isDone) {
    const bytes = readSync(file, chunk, 0, wanted, position)
    if (bytes === 0) return
    consumer.push(chunk, 0, bytes)
    position += bytes
    if (consumer.skippable < SKIP_BYTES_MIN) {
      wanted = Math.min(CHUNK_BYTES, 4 * wanted)
      continue
    }
    // Bytes that are not there must not be skipped: the stream would end somewhere else.
    const there = Math.max(0, fstatSync(file).size - position)
    const skipped = Math.min(consumer.skippable, there)
    consumer.skip(skipped)
    position += skipped
    wanted = CHUNK_BYTES_MIN
  }
}

function readPipe(file: number, consumer: StreamConsumer): void {
  const chunk = new Uint8Array(CHUNK_BYTES)
  while (!consumer.isDone) {
    const bytes = readSome(file, chunk)
    if (bytes === 0) return
    consumer.push(chunk, 0, bytes)
  }
}

function readSome(file: number, chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(file, chunk)
    } catch (error) {
      // A pipe that does not block says so when it is empty.
      if (!(error instanceof Error && 'code' in error)) throw error
      if (error.code === 'EOF') return 0
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EMPTY_PIPE_MS)
    }
  }
}
