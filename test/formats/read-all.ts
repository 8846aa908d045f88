// A sink that keeps all it is given, in a form that two readings can be compared by.

import { StreamError } from '../../formats/xen/stream-error.ts'
import { StreamReader } from '../../formats/xen/stream-reader.ts'
import type { StreamReaderOptions, StreamSink } from '../../formats/xen/stream-sink.ts'

export interface Reading {
  readonly outcome: string | undefined
  readonly error: StreamError | undefined
  /** A line for each header and record: name, offset, length and a sum over the body. */
  readonly heard: string[]
  /** All page bytes in a row. */
  readonly pages: number[]
  readonly reader: StreamReader
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum = (sum * 31 + byte) % 0x7fffffff
  return sum
}

/**
 * Reads the chunks as one stream. Anything but a StreamError is thrown on: it is a defect of the
 * reader.
 */
export function readAll(chunks: Iterable<Uint8Array>, options: StreamReaderOptions): Reading {
  const heard: string[] = []
  const pages: number[] = []
  const sink: StreamSink = {
    header: (header, offset) => heard.push(`${JSON.stringify(header)} at ${offset}`),
    record: ({ spec, offset, index, length, body }) =>
      heard.push(`${index} ${spec.layer} ${spec.name} at ${offset}: ${length} ${sumOf(body)}`),
    pageData: ({ offset, index, length }, count, words, dataPages) =>
      heard.push(`${index} ${count}/${dataPages} at ${offset}: ${length} ${sumOf(words)}`),
    pageBytes: (chunk, from, to) => pages.push(...chunk.subarray(from, to)),
  }
  const reader = new StreamReader(sink, options)
  try {
    for (const chunk of chunks) reader.push(chunk)
    return { outcome: reader.finish(), error: undefined, heard, pages, reader }
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    return { outcome: undefined, error, heard, pages, reader }
  }
}
