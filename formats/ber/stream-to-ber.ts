// A migration stream into BER. The walk says what it meets, and each of its words is written at once; what is
// wanted ahead of that is surveyed in a walk of its own. The definite form takes one walk more, which measures.

import type { MigrationSink } from '../qemu/stream/migration-sink.ts'
import { MigrationStream } from '../qemu/stream/migration-stream.ts'
import { QemuFileReader, type ByteSink, type ByteSource } from '../qemu/file/qemu-file.ts'
import { QemuStreamError } from '../qemu/file/qemu-stream-error.ts'
import type { LengthForm } from './ber-frames.ts'
import { BerWriter } from './ber-writer.ts'
import type { ConversionReport } from './conversion-report.ts'
import { PAGE_BYTES_DEFAULT } from './ram-list.ts'
import { SectionWriter } from './section-writer.ts'
import { Portion, StreamSurvey, type Cut } from './stream-survey.ts'

export interface ToBerOptions {
  /** DER: every length is known beforehand. Else long elements have indefinite length. */
  readonly definite?: boolean
  /** Of a page of the target, where the stream does not say: 4096. */
  readonly pageBytes?: number
}

/**
 * Converts the stream that `open` gives anew at each call. Raises QemuStreamError for what is wrong in the
 * stream, BerError for what the module has no place for.
 */
export function streamToBer(
  open: () => ByteSource,
  sink: ByteSink,
  { definite = false, pageBytes = PAGE_BYTES_DEFAULT }: ToBerOptions = {},
): ConversionReport {
  const walk = (from: ByteSource, to: MigrationSink) =>
    new MigrationStream(new QemuFileReader(from), to, { pageBytes }).read()
  const survey = new StreamSurvey()
  survey.survey(() => walk(open(), survey))
  survey.judgePages(pageBytes)
  const { cut, described } = survey
  const convert = (lengths: LengthForm): ConversionReport => {
    const writer = new SectionWriter(new BerWriter(sink, lengths), described, pageBytes)
    const portion = new Portion(open(), cut?.wholeBytes ?? Infinity)
    untilCut(cut, () => walk(portion, writer))
    writer.finish((take) => portion.rest(take))
    if (cut !== undefined) writer.report.cutOff = cut.error.message
    return writer.report
  }
  if (!definite) return convert({ form: 'indefinite' })
  const lengths: number[] = []
  convert({ form: 'measure', lengths })
  return convert({ form: 'definite', lengths })
}

/** A walk through what is whole can end between two things of a checkpoint, which it calls truncated. */
function untilCut(cut: Cut | undefined, walk: () => void): void {
  try {
    walk()
  } catch (error) {
    const isThere = error instanceof QemuStreamError && error.offset === cut?.wholeBytes
    if (!isThere || error.code !== 'truncated') throw error
  }
}
