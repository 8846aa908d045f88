// What `colo convert` says when it is done: sizes, and how much of the devices nobody could take apart.

import type { ConversionReport, DeviceTally } from '../../formats/ber/conversion-report.ts'

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

function describeDevices(what: string, { deviceBytes, blobBytes, blobs }: DeviceTally): string[] {
  const part = share(blobBytes, deviceBytes)
  return [
    `${what}: ${deviceBytes} bytes, of which ${blobBytes} (${part}) are oldblob`,
    ...blobs.map((blob) => `  ${blob.section}, ${blob.bytes} bytes: ${blob.reason}`),
  ]
}

const describeCount = (count: number) =>
  count === 1 ? 'devices of one checkpoint' : `devices of ${count} checkpoints`

/** Lines of text. */
export function describeConversion({ to, definite, from, bytes, report }: Conversion): string {
  const { sections, checkpoints, diskBytes, trailerBytes, cutOff } = report
  const form = definite ? 'BER of definite lengths' : 'BER'
  const [what, made] = to === 'ber' ? ['stream', form] : ['BER', 'stream']
  const lines = [
    `${from} bytes of ${what} into ${bytes} bytes of ${made}, ${sections} sections`,
    ...describeDevices('devices', report),
  ]
  if (checkpoints.sections > 0) {
    lines.push(...describeDevices(describeCount(checkpoints.count), checkpoints))
  }
  if (diskBytes > 0) lines.push(`disks: ${diskBytes} bytes of records, as they were`)
  if (trailerBytes > 0) lines.push(`behind the stream: ${trailerBytes} bytes, as they were`)
  if (cutOff !== undefined) lines.push(`the session is cut off: ${cutOff}`)
  return `${lines.join('\n')}\n`
}

export function jsonOfConversion({ to, definite, from, bytes, report }: Conversion): string {
  return JSON.stringify({ to, definite, inputBytes: from, outputBytes: bytes, report })
}
