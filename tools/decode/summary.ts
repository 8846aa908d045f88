// An overview of a stream, gathered on the walk: what sections there are, how many pages of which form each block
// of memory has, what the checkpoints of a COLO session held. Bounded whatever the stream's length: parts of a
// live section are one row, and only so many rows are kept.

import { nameOfCommand } from '../../formats/qemu/stream/commands.ts'
import {
  SECTION_FULL,
  SECTION_START,
  SilentSink,
  type Configuration,
  type Delimiter,
  type DirtyBitmapRecord,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
  type StreamCommand,
} from '../../formats/qemu/stream/migration-sink.ts'
import { PAGE_BYTES_DEFAULT } from '../../formats/qemu/stream/ram-section.ts'
import { BITMAP_START } from '../../formats/qemu/stream/disk-sections.ts'
import {
  COLO_REQUEST,
  COLO_VMSTATE_SEND,
  COLO_VMSTATE_SIZE,
} from '../../formats/qemu/stream/colo-session.ts'

const ROWS_MAX = 65_536
const DATA_SHOWN_BYTES = 64

export const PAGE_FORMS = ['full', 'zero', 'xbzrle', 'compressed'] as const
export type PageForm = (typeof PAGE_FORMS)[number]
export type PageCounts = Record<PageForm, number>

const FORMS = PAGE_FORMS.length

export interface SectionRow {
  readonly offset: number
  readonly kind: 'live' | 'full'
  readonly sectionId: number
  readonly name: string
  readonly instanceId: number
  readonly version: number
  /** Of the bodies. */
  bytes: number
  /** Of a live section: START, PARTs and END. */
  parts: number
  /** Of what has no records: how its end was found. */
  endFoundBy?: Delimiter
}

export interface BlockRow extends PageCounts {
  readonly name: string
  readonly bytes: number
}

export interface CheckpointRow extends PageCounts {
  readonly number: number
  /** Of its request, 1. */
  readonly offset: number
  ramBytes: number
  deviceBytes: number
  sections: number
  isWhole: boolean
}

/** Pages of each form in each block. */
class PageCounter {
  #blocks: readonly RamBlock[] = []
  #counts = new Float64Array(0)

  list(blocks: readonly RamBlock[]): void {
    if (blocks.length > this.#blocks.length) {
      const larger = new Float64Array(blocks.length * FORMS)
      larger.set(this.#counts)
      this.#counts = larger
    }
    this.#blocks = blocks
  }

  add({ index }: RamBlock, form: number): void {
    const place = index * FORMS + form
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
  }

  get rows(): BlockRow[] {
    return this.#blocks.map(({ name, usedBytes, index }) => {
      return { name, bytes: usedBytes, ...this.#sum(index * FORMS, (index + 1) * FORMS) }
    })
  }

  get total(): PageCounts {
    return this.#sum(0, this.#counts.length)
  }

  #sum(from: number, to: number): PageCounts {
    const counts: PageCounts = { full: 0, zero: 0, xbzrle: 0, compressed: 0 }
    for (let i = from; i < to; i++) {
      const form = PAGE_FORMS[i % FORMS] ?? 'full'
      counts[form] += this.#counts[i] ?? 0
    }
    return counts
  }
}

export class Summary extends SilentSink {
  version = 0
  machine: string | undefined
  pageBytes = PAGE_BYTES_DEFAULT
  hasFooters: boolean | undefined
  descriptionOffset: number | undefined
  descriptionBytes = 0
  paddingBytes = 0
  readonly configurationSubsections: string[] = []
  readonly commands: { offset: number; name: string; data: string }[] = []
  readonly sections: SectionRow[] = []
  readonly checkpoints: CheckpointRow[] = []
  readonly disks = new Map<string, { chunks: number; zeroChunks: number }>()
  readonly bitmaps: string[] = []
  readonly #pages = new PageCounter()
  readonly #open = new Map<number, SectionRow>()
  #row: SectionRow | undefined
  #bodyOffset = 0
  #checkpoint: CheckpointRow | undefined
  #requestOffset = 0
  #before: PageCounts = this.#pages.total

  get blockRows(): BlockRow[] {
    return this.#pages.rows
  }

  get pageCounts(): PageCounts {
    return this.#pages.total
  }

  override header(_offset: number, version: number): void {
    this.version = version
  }

  override configuration(configuration: Configuration): void {
    this.machine = configuration.machine
    this.pageBytes = configuration.pageBytes ?? this.pageBytes
    for (const { name } of configuration.subsections) this.configurationSubsections.push(name)
  }

  override command({ offset, id, data }: StreamCommand): void {
    if (this.commands.length >= ROWS_MAX) return
    const hex = Buffer.from(data.subarray(0, DATA_SHOWN_BYTES)).toString('hex')
    this.commands.push({ offset, name: nameOfCommand(id), data: hex })
  }

  override sectionBegins(head: SectionHead): void {
    const { type, offset, sectionId, idstr: name, instanceId, versionId: version } = head
    const isFull = type === SECTION_FULL
    this.#bodyOffset = offset + (isFull || type === SECTION_START ? 14 + name.length : 5)
    if (this.#checkpoint !== undefined) {
      if (isFull) this.#checkpoint.sections++
      return
    }
    const kind = isFull ? 'full' : 'live'
    const row = (isFull ? undefined : this.#open.get(sectionId)) ?? {
      ...{ offset, kind, sectionId, name, instanceId, version, bytes: 0, parts: 0 },
    }
    if (row.parts === 0 && this.sections.length < ROWS_MAX) this.sections.push(row)
    if (!isFull) this.#open.set(sectionId, row)
    row.parts++
    this.#row = row
  }

  override body(_head: SectionHead, { delimiter }: OpaqueBody): void {
    if (this.#row !== undefined && this.#checkpoint === undefined) this.#row.endFoundBy = delimiter
  }

  override sectionEnds({ type }: SectionHead, end: number, hasFooter: boolean): void {
    const bytes = end - this.#bodyOffset
    this.hasFooters = hasFooter
    if (this.#checkpoint !== undefined) {
      if (type !== SECTION_FULL) this.#checkpoint.ramBytes += bytes
    } else if (this.#row !== undefined) this.#row.bytes += bytes
  }

  override description(offset: number, json: Uint8Array): void {
    this.descriptionOffset = offset
    this.descriptionBytes = json.length
  }

  override coloMessage(offset: number, code: number, size: number | undefined): void {
    if (code === COLO_REQUEST) this.#requestOffset = offset
    if (code === COLO_VMSTATE_SEND) this.#beginCheckpoint(this.#requestOffset)
    if (code === COLO_VMSTATE_SIZE && this.#checkpoint) this.#checkpoint.deviceBytes = size ?? 0
  }

  override deviceStateEnds(): void {
    if (this.#checkpoint === undefined) return
    this.#checkpoint.isWhole = true
    this.finish()
  }

  override padding(_offset: number, length: number): void {
    this.paddingBytes = length
  }

  override blocks(_offset: number, blocks: readonly RamBlock[]): void {
    this.#pages.list(blocks)
  }

  override page(block: RamBlock): void {
    this.#pages.add(block, 0)
  }

  override zeroPage(block: RamBlock): void {
    this.#pages.add(block, 1)
  }

  override xbzrlePage(block: RamBlock): void {
    this.#pages.add(block, 2)
  }

  override compressedPage(block: RamBlock): void {
    this.#pages.add(block, 3)
  }

  override diskChunk(device: string, _sector: bigint, _flags: number, bytes?: Uint8Array): void {
    const disk = this.disks.get(device) ?? { chunks: 0, zeroChunks: 0 }
    if (bytes === undefined) disk.zeroChunks++
    else disk.chunks++
    if (this.disks.size < ROWS_MAX) this.disks.set(device, disk)
  }

  override dirtyBitmap({ flags, node, bitmap, granularity }: DirtyBitmapRecord): void {
    if ((flags & BITMAP_START) === 0 || this.bitmaps.length >= ROWS_MAX) return
    this.bitmaps.push(`${bitmap ?? '?'} of ${node ?? '?'}, ${granularity} bytes a bit`)
  }

  /** Counts what came of a checkpoint under way, whole or not. */
  finish(): void {
    const total = this.#pages.total
    for (const form of PAGE_FORMS) {
      if (this.#checkpoint !== undefined) this.#checkpoint[form] = total[form] - this.#before[form]
    }
  }

  #beginCheckpoint(offset: number): void {
    this.#before = this.#pages.total
    const number = (this.#checkpoint?.number ?? 0) + 1
    const bytes = { ramBytes: 0, deviceBytes: 0, sections: 0, isWhole: false }
    this.#checkpoint = { number, offset, full: 0, zero: 0, xbzrle: 0, compressed: 0, ...bytes }
    if (this.checkpoints.length >= ROWS_MAX) this.checkpoints.shift()
    this.checkpoints.push(this.#checkpoint)
  }
}
