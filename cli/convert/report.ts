// What `colo convert` says when it is done: sizes, and how much of the devices nobody could take apart.

import type { ConversionReport } from '../../shared/formats/ber/conversion-report.ts'

export interface Conversion {
  readonly to: 'ber' | 'binary'
  readonly definite: boolean
  /** Bytes that were read, and that were written. */
  readonly from: number
  readonly bytes: number
  readonly report: ConversionReport
}

function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole
  return `${percent.toFixed(percent > 0 && percent < 10 ? 2 : 0)} %`
}

/** Lines of text. */
export function describeConversion({ to, definite, from, bytes, report }: Conversion): string {
  const { sections, deviceBytes, blobBytes, diskBytes, trailerBytes, blobs } = report
  const form = definite ? 'BER of definite lengths' : 'BER'
  const [what, made] = to === 'ber' ? ['stream', form] : ['BER', 'stream']
  const lines = [
    `${from} bytes of ${what} into ${bytes} bytes of ${made}, ${sections} sections`,
    `devices: ${deviceBytes} bytes, of which ${blobBytes} (${share(blobBytes, deviceBytes)}) are oldblob`,
    ...blobs.map((blob) => `  ${blob.section}, ${blob.bytes} bytes: ${blob.reason}`),
  ]
  if (diskBytes > 0) lines.push(`disks: ${diskBytes} bytes of records, as they were`)
  if (trailerBytes > 0) lines.push(`behind the stream: ${trailerBytes} bytes, as they were`)
  return `${lines.join('\n')}\n`
}

export function jsonOfConversion({ to, definite, from, bytes, report }: Conversion): string {
  return JSON.stringify({ to, definite, inputBytes: from, outputBytes: bytes, report })
}
