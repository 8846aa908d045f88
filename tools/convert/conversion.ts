// One conversion between two open files. It reads and writes at once, without a promise, for as long as it takes:
// so it has a thread of its own (conversion-worker.ts), and the one that hears signals is free to hear them.

import { BerError } from '../../formats/ber/ber-error.ts'
import { berToStream } from '../../formats/ber/ber-to-stream.ts'
import type { ConversionReport } from '../../formats/ber/conversion-report.ts'
import { GatheringSink } from '../../formats/ber/gathering-sink.ts'
import { streamToBer } from '../../formats/ber/stream-to-ber.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import type { ConvertOptions } from './options.ts'
import { CliError, type ExitName } from '../../terminal/exit-codes.ts'
import { fileError } from '../../terminal/file-error.ts'
import { PlacedSource } from '../input/rereadable-input.ts'
import { writeWhole } from '../../terminal/whole-write.ts'

/** What the thread is given. */
export interface ConversionOrder {
  readonly input: { readonly fd: number; readonly path: string }
  readonly output: { readonly fd: number; readonly path: string }
  readonly options: ConvertOptions
}

/** What it answers. */
export type ConversionAnswer =
  | { readonly report: ConversionReport; readonly bytes: number }
  | { readonly exit: ExitName; readonly message: string }

export function runConversion({ input, output, options }: ConversionOrder): ConversionAnswer {
  let bytes = 0
  const sink = new GatheringSink({
    write: (piece) => {
      try {
        writeWhole(output.fd, piece)
      } catch (error) {
        throw fileError(output.path, error, 'write')
      }
      bytes += piece.length
    },
  })
  const { to, definite = false, pageSize } = options
  const page = pageSize === undefined ? {} : { pageBytes: pageSize }
  const open = () => new PlacedSource(input.fd, input.path)
  try {
    const report =
      to === 'binary'
        ? berToStream(open, sink, page)
        : streamToBer(open, sink, { definite, ...page })
    sink.flush()
    return { report, bytes }
  } catch (error) {
    if (error instanceof BerError || error instanceof QemuStreamError) {
      return { exit: 'broken', message: `${input.path}: ${error.message}` }
    }
    if (error instanceof CliError) return { exit: error.exit, message: error.message }
    throw error
  }
}
