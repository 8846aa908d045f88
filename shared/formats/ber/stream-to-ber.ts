// A migration stream into BER. The walk says what it meets, and each of its words is written at once; only the
// description is wanted ahead of the devices that it describes, and stands behind them, so it is read in a walk
// of its own. The definite form takes one walk more, which measures.

import { SilentSink, type Configuration, type MigrationSink } from '../qemu/migration-sink.ts'
import { MigrationStream } from '../qemu/migration-stream.ts'
import { QemuFileReader, type ByteSink, type ByteSource } from '../qemu/qemu-file.ts'
import { QemuStreamError } from '../qemu/qemu-stream-error.ts'
import type { VmDescription } from '../qemu/vmdesc.ts'
import type { LengthForm } from './ber-frames.ts'
import { BerWriter } from './ber-writer.ts'
import type { ConversionReport } from './conversion-report.ts'
import { readDescription } from './described-devices.ts'
import { PAGE_BYTES_DEFAULT } from './ram-list.ts'
import { SectionWriter } from './section-writer.ts'

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
  const walk = (to: MigrationSink) =>
    new MigrationStream(new QemuFileReader(open()), to, { pageBytes }).read()
  const described = new DescriptionSink()
  walk(described)
  described.judge(pageBytes)
  const convert = (lengths: LengthForm): ConversionReport => {
    const writer = new SectionWriter(new BerWriter(sink, lengths), described.found, pageBytes)
    walk(writer.relay)
    writer.finish()
    return writer.report
  }
  if (!definite) return convert({ form: 'indefinite' })
  const lengths: number[] = []
  convert({ form: 'measure', lengths })
  return convert({ form: 'definite', lengths })
}

class DescriptionSink extends SilentSink {
  found: VmDescription | string = 'the stream has no description'
  #offset = 0
  #configuration: Configuration | undefined

  override configuration(configuration: Configuration): void {
    this.#configuration = configuration
  }

  override description(offset: number, json: Uint8Array): void {
    this.#offset = offset
    this.found = readDescription(json, offset)
  }

  /** Whether the way back would know the pages that were read. Raises bad-value. */
  judge(pageBytes: number): void {
    const { found } = this
    if (this.#configuration?.pageBytes !== undefined) return
    const told = typeof found === 'string' ? pageBytes : found.page_size
    const due = this.#configuration === undefined ? PAGE_BYTES_DEFAULT : pageBytes
    if (told === due) return
    const rule = `pages of ${told} bytes, where those of the stream have ${due}`
    throw new QemuStreamError('bad-value', this.#offset, 'description', rule)
  }
}
