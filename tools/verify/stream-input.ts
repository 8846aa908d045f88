// A stream from a file or standard input, read in large pieces into one buffer. What its consumer
// need not see is not read at all where the input is a regular file: a gigabyte of pages costs no
// more than their page frame numbers.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { fileError } from '../../terminal/file-error.ts'
import { ChunkRing, planRing } from './chunk-ring.ts'

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
/** Starting a second thread pays off only where much is left. */
const AHEAD_BYTES_MIN = 256 * 1024 * 1024
/** That many bytes without a gap: it goes on like that. */
const GAPLESS_BYTES_MIN = 4 * 1024 * 1024
const ring = { chunkBytes: 256 * 1024, slots: 8 } as const

/**
 * Gives all of `path` to `consumer`; '-' is standard input. Throws a CliError of code `usage`. Where
 * `aheadBytes` are left of a regular file that has to be read whole, a second thread helps.
 */
export function readStream(
  path: string,
  consumer: StreamConsumer,
  aheadBytes = AHEAD_BYTES_MIN,
): void {
  try {
    const file = path === '-' ? STDIN : openSync(path, 'r')
    try {
      if (path !== '-' && fstatSync(file).isFile()) readFile(file, consumer, aheadBytes)
      else readPipe(file, consumer)
    } finally {
      if (file !== STDIN) closeSync(file)
    }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw fileError(path, error)
    }
    throw error
  }
}

function readFile(file: number, consumer: StreamConsumer, aheadBytes: number): void {
  const chunk = new Uint8Array(CHUNK_BYTES)
  let position = 0
  let wanted = CHUNK_BYTES_MIN
  let gapless = 0
  while (!consumer.isDone) {
    if (gapless >= Math.min(GAPLESS_BYTES_MIN, aheadBytes)) {
      gapless = 0
      position = readAhead(file, position, consumer, aheadBytes)
    }
    const bytes = readSync(file, chunk, 0, wanted, position)
    if (bytes === 0) return
    consumer.push(chunk, 0, bytes)
    position += bytes
    if (consumer.skippable < SKIP_BYTES_MIN) {
      wanted = Math.min(CHUNK_BYTES, 4 * wanted)
      gapless += bytes
      continue
    }
    // Bytes that are not there must not be skipped: the stream would end somewhere else.
    const there = Math.max(0, fstatSync(file).size - position)
    const skipped = Math.min(consumer.skippable, there)
    consumer.skip(skipped)
    position += skipped
    wanted = CHUNK_BYTES_MIN
    gapless = 0
  }
}

/**
 * Reads on with a second thread, as long as there are whole chunks and nothing to pass over. Returns
 * where the file is to be read on.
 */
function readAhead(
  file: number,
  start: number,
  consumer: StreamConsumer,
  aheadBytes: number,
): number {
  const left = fstatSync(file).size - start
  const chunks = Math.floor(left / ring.chunkBytes)
  if (left < aheadBytes || chunks === 0) return start
  const plan = planRing(file, start, chunks, ring)
  const chunkRing = new ChunkRing(plan)
  const worker = new Worker(new URL('./read-ahead-worker.js', import.meta.url), {
    workerData: plan,
  })
  // It helps where it can: what it does not fill is filled here.
  worker.on('error', () => {})
  worker.unref()
  let chunk = 0
  while (chunk < chunks && !consumer.isDone && consumer.skippable < SKIP_BYTES_MIN) {
    const bytes = chunkRing.take(chunk)
    if (bytes === undefined) break
    consumer.push(bytes, 0, bytes.length)
    chunkRing.release(chunk)
    chunk++
  }
  chunkRing.close()
  return start + chunk * ring.chunkBytes
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
