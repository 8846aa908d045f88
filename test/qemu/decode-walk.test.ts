// The walk loses nothing: every stream of the corpus, walked into a writer, gives the same bytes again, from any
// chunks; and every prefix of a stream ends with one coded error that says where.

import { describe, expect, it } from 'vitest'
import type { Ending } from '../../formats/qemu/stream/colo-session.ts'
import { MigrationStream } from '../../formats/qemu/stream/migration-stream.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import {
  QemuFileReader,
  QemuFileWriter,
  sourceOf,
  type ByteSource,
} from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { SilentSink } from '../../formats/qemu/stream/migration-sink.ts'
import { CAPTURE_NAMES, captureBytes, CORPUS_MISSING, STREAM_NAMES, streamBytes } from './corpus.ts'

function rewrite(source: ByteSource, bufferBytes?: number): { ending: Ending; bytes: Uint8Array } {
  const parts: Uint8Array[] = []
  const writer = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) })
  const stream = new MigrationStream(
    new QemuFileReader(source, bufferBytes),
    new MigrationWriter(writer),
  )
  const ending = stream.read()
  writer.flush()
  return { ending, bytes: new Uint8Array(Buffer.concat(parts)) }
}

/** Gives chunks of sizes that repeat nowhere soon. */
function choppy(bytes: Uint8Array): ByteSource {
  const whole = sourceOf(bytes)
  let step = 1
  return {
    read(into) {
      step = (step * 7 + 3) % 4099
      return whole.read(into.subarray(0, Math.min(into.length, step + 1)))
    },
  }
}

describe('the corpus', () => {
  it.skipIf(STREAM_NAMES.length === 0)(`is here (else ${CORPUS_MISSING})`, () => {
    expect(STREAM_NAMES.length).toBeGreaterThanOrEqual(18)
    expect(CAPTURE_NAMES.length).toBe(3)
  })

  it.each(STREAM_NAMES)('%s is walked to its end and written again', (name) => {
    const bytes = streamBytes(name)
    const again = rewrite(sourceOf(bytes))
    expect(again.ending).toBe('whole')
    expect(Buffer.compare(again.bytes, bytes)).toBe(0)
    expect(Buffer.compare(rewrite(choppy(bytes), 4096).bytes, bytes)).toBe(0)
  })

  it.each(CAPTURE_NAMES)('%s is walked through its session and written again', (name) => {
    const bytes = captureBytes(name)
    const again = rewrite(sourceOf(bytes))
    expect(again.ending).toBe(name === 'q35_small' ? 'between checkpoints' : 'whole')
    expect(Buffer.compare(again.bytes, bytes)).toBe(0)
  })

  it.each(STREAM_NAMES)('%s, cut off anywhere, is truncated where it was cut', (name) => {
    const bytes = streamBytes(name)
    for (let cut = 9; cut < bytes.length; cut += 9973 + (cut % 13)) {
      const stream = new MigrationStream(
        new QemuFileReader(sourceOf(bytes.subarray(0, cut))),
        new SilentSink(),
      )
      try {
        // What an old machine type writes has no end that can be told from a device's last byte.
        expect(stream.read()).toBe(name === 'pc-i440fx-2.0' ? 'whole' : 'cut')
      } catch (error) {
        if (!(error instanceof QemuStreamError)) throw error
        expect({ cut, code: error.code, offset: error.offset }).toEqual({
          cut,
          code: 'truncated',
          offset: cut,
        })
      }
    }
  })
})
