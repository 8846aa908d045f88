// The overview of a stream as text, and as JSON with the same rows.

import { formatTable } from '../../terminal/table.ts'
import { showBytes } from '../../terminal/units.ts'
import type { Walked } from './walk.ts'
import { PAGE_FORMS, type PageCounts, type Summary } from './summary.ts'

const hex = (value: number) => `0x${value.toString(16)}`

function countsOf(counts: PageCounts): string {
  const parts = PAGE_FORMS.filter((form) => counts[form] > 0).map(
    (form) => `${counts[form]} ${form}`,
  )
  return parts.length === 0 ? 'no pages' : parts.join(', ')
}

export function summaryText(summary: Summary, name: string, ending: readonly string[]): string {
  const { version, machine, commands, sections, checkpoints, bitmaps } = summary
  const lines = [
    `${name}: QEMU migration stream, version ${version}, ${machine ?? 'machine not named'}`,
    ...summary.configurationSubsections.map((one) => `  ${one}`),
    ...commands.map((one) => `command  ${hex(one.offset)}  ${one.name} ${one.data}`.trimEnd()),
  ]
  const blocks = summary.blockRows.map((row) => [
    row.name,
    showBytes(row.bytes),
    ...PAGE_FORMS.map((form) => String(row[form])),
  ])
  if (blocks.length > 0) lines.push('', formatTable(['memory', 'size', ...PAGE_FORMS], blocks))
  for (const [device, { chunks, zeroChunks }] of summary.disks) {
    lines.push(`disk ${device}: ${chunks} MiB sent, ${zeroChunks} MiB of zeros`)
  }
  lines.push(...bitmaps.map((one) => `dirty bitmap ${one}`))
  const rows = sections.map((row) => [
    ...[hex(row.offset), String(row.sectionId), row.kind, row.name, String(row.instanceId)],
    ...[String(row.version), String(row.bytes), String(row.parts), row.endFoundBy ?? 'records'],
  ])
  const titles = ['offset', 'id', 'kind', 'name', 'instance', 'version', 'bytes', 'parts', 'end by']
  if (rows.length > 0) lines.push('', formatTable(titles, rows))
  lines.push('', descriptionLine(summary))
  if (checkpoints.length > 0) lines.push('', ...checkpointLines(summary))
  if (summary.paddingBytes > 0) lines.push(`${summary.paddingBytes} zero bytes behind the end`)
  lines.push(`pages: ${countsOf(summary.pageCounts)}`, ...ending)
  return `${lines.join('\n')}\n`
}

/** How pages came beside the stream. */
export function channelLines({ channelRows }: Walked): string[] {
  const rows = channelRows.map(({ channel, packets, pages, method, bytes }) => [
    ...[String(channel), String(packets), String(pages), method ?? '-', showBytes(bytes)],
  ])
  const titles = ['page channel', 'packets', 'pages', 'packing', 'bytes']
  return rows.length > 0 ? [formatTable(titles, rows)] : []
}

function descriptionLine({ descriptionOffset, descriptionBytes, hasFooters }: Summary): string {
  const footers = hasFooters === false ? 'sections have no footers; ' : ''
  if (descriptionOffset === undefined) return `${footers}no description`
  return `${footers}description: ${descriptionBytes} bytes at ${hex(descriptionOffset)}`
}

function checkpointLines({ checkpoints }: Summary): string[] {
  const rows = checkpoints.map((row) => [
    ...[String(row.number), hex(row.offset), ...PAGE_FORMS.map((form) => String(row[form]))],
    ...[String(row.deviceBytes), String(row.sections), row.isWhole ? 'whole' : 'cut off'],
  ])
  const titles = ['checkpoint', 'offset', ...PAGE_FORMS, 'device bytes', 'sections', 'state']
  return [formatTable(titles, rows)]
}

export function summaryJson(summary: Summary, name: string, ending: object): string {
  const { version, machine, pageBytes, commands, sections, checkpoints, bitmaps } = summary
  const told = {
    ...{ stream: name, version, machine, configuration: summary.configurationSubsections },
    ...{ pageBytes, hasFooters: summary.hasFooters, commands, memory: summary.blockRows },
    pages: summary.pageCounts,
    disks: [...summary.disks].map(([device, counts]) => ({ device, ...counts })),
    bitmaps,
    sections,
    description:
      summary.descriptionOffset === undefined
        ? null
        : { offset: summary.descriptionOffset, bytes: summary.descriptionBytes },
    checkpoints,
    paddingBytes: summary.paddingBytes,
    ...ending,
  }
  return `${JSON.stringify(told, undefined, 2)}\n`
}
