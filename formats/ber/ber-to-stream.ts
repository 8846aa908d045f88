// A migration stream out of BER. The description says how wide the values of devices are, and stands behind
// them, so it is looked for first; whoever has an indefinite length is walked through for that.

import { QemuFileWriter, type ByteSink, type ByteSource } from '../qemu/file/qemu-file.ts'
import type { VmDescription } from '../qemu/description/vmdesc.ts'
import { BerReader } from './ber-reader.ts'
import { INTEGER, SEQUENCE } from './ber-tag.ts'
import type { ConversionReport } from './conversion-report.ts'
import { readDescription } from './described-devices.ts'
import { TAGS } from './migration-tags.ts'
import { PAGE_BYTES_DEFAULT } from './ram-list.ts'
import { SectionReader } from './section-reader.ts'

export interface FromBerOptions {
  /** Of a page of the target, where neither configuration nor description says: 4096. */
  readonly pageBytes?: number
}

/**
 * Converts the file that `open` gives anew at each call. Raises BerError, or QemuStreamError for a value that a
 * stream cannot have.
 */
export function berToStream(
  open: () => ByteSource,
  sink: ByteSink,
  { pageBytes = PAGE_BYTES_DEFAULT }: FromBerOptions = {},
): ConversionReport {
  const description = describe(new BerReader(open()))
  const size = typeof description === 'string' ? pageBytes : description.page_size
  const file = new QemuFileWriter(sink)
  return new SectionReader(new BerReader(open()), file, description, size).read()
}

/** The description of the devices, or why there is none. */
function describe(ber: BerReader): VmDescription | string {
  ber.item = 'QemuFile'
  ber.enter(TAGS.QemuFile)
  while (ber.tag === INTEGER || ber.tag === TAGS.Configuration || ber.tag === SEQUENCE) ber.skip()
  if (ber.tag !== TAGS.VMDescription) return 'the file has no vmdesc'
  const { offset } = ber
  ber.item = 'VMDescription'
  return readDescription(ber.octets(TAGS.VMDescription), offset)
}
