// The walk through a migration stream, item by item, from its magic to what lies behind its description: a whole
// COLO session if the stream began one. Nothing is kept but the bytes of the section under way; what is met is
// said to a sink at once, so a stream that is cut off or broken has said all that was whole before the error.

import {
  COMMAND_ENABLE_COLO,
  COMMAND_PACKAGED,
  COMMAND_POSTCOPY_ADVISE,
  faultOfCommand,
} from './commands.ts'
import { Occurrences, sizesOfDevices, type SizeOfDevice } from '../description/description-sizes.ts'
import { readColoSession, type Ending } from './colo-session.ts'
import { readConfiguration } from './configuration.ts'
import { readDirtyBitmapBody, readDiskBody } from './disk-sections.ts'
import { LOOK_AHEAD_BYTES_MAX } from './look-ahead.ts'
import {
  SECTION_END,
  SECTION_FULL,
  SECTION_PART,
  SECTION_START,
  type MigrationSink,
  type RamBlock,
  type SectionHead,
} from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import { RamReader } from './ram-section.ts'
import { SectionDelimiter } from './section-delimiter.ts'
import {
  ITEM_COMMAND,
  ITEM_CONFIGURATION,
  ITEM_DESCRIPTION,
  ITEM_EOF,
  ITEM_FOOTER,
  STREAM_MAGIC,
} from '../file/stream-items.ts'

export const STREAM_VERSION = 3

const SECTIONS_MAX = 65_536

export interface WalkOptions {
  /** The sizes of devices, from the description of another stream of the same machine. */
  readonly sizes?: SizeOfDevice
  /** The target's page, where the stream does not say: 4096. */
  readonly pageBytes?: number
  /** Reads the sizes of devices from a description, if not sizesOfDevices. `offset` is that of the JSON. */
  readonly describe?: (json: Uint8Array, offset: number) => SizeOfDevice
  /** Called where page channels of multifd sync: what they sent up to their next sync packet belongs before it. */
  readonly syncs?: (blocks: readonly RamBlock[], pageBytes: number) => void
}

export class MigrationStream {
  readonly #file: QemuFileReader
  readonly #sink: MigrationSink
  readonly #ram: RamReader
  readonly #delimiter: SectionDelimiter
  readonly #describe: NonNullable<WalkOptions['describe']>
  readonly #live = new Map<number, SectionHead>()
  #seen = new Occurrences()
  #sections = 0
  #isColo = false
  #packageEnd: number | undefined

  constructor(file: QemuFileReader, sink: MigrationSink, options: WalkOptions = {}) {
    this.#file = file
    this.#sink = sink
    const { syncs } = options
    const ram = new RamReader(file, sink, () => syncs?.(ram.blocks, ram.pageBytes))
    this.#ram = ram
    this.#ram.pageBytes = options.pageBytes ?? this.#ram.pageBytes
    this.#describe = options.describe ?? sizesOfDevices
    this.#delimiter = new SectionDelimiter(file, this.#describe)
    this.#delimiter.sizes = options.sizes
  }

  /** Reads to the end of the source. Raises QemuStreamError. */
  read(): Ending {
    this.#readHeader()
    this.#readItems()
    this.#readDescription()
    const file = this.#file
    if (this.#isColo && !file.atEnd) {
      return readColoSession(file, this.#sink, this.#delimiter, () => this.#readItems())
    }
    if (!file.atEnd) this.#readPadding()
    return 'whole'
  }

  /** See RamReader: that pages went beside this stream. */
  get isBesideChannels(): boolean {
    return this.#ram.isBesideChannels
  }

  #readHeader(): void {
    const file = this.#file
    const { offset } = file
    file.item = 'header'
    if (!file.has(4)) this.#refuse('bad-magic', offset, 'fewer than 4 bytes: no stream of QEMU')
    if (file.u32() !== STREAM_MAGIC) {
      this.#refuse('bad-magic', offset, 'the first bytes are not QEVM: no migration stream of QEMU')
    }
    const version = file.u32()
    if (version !== STREAM_VERSION) {
      const rule = `version ${version}, where QEMU has written ${STREAM_VERSION} since 2009`
      this.#refuse('bad-version', offset + 4, rule)
    }
    this.#sink.header(offset, version)
    if (file.peek() !== ITEM_CONFIGURATION) return
    const configuration = readConfiguration(file)
    this.#ram.pageBytes = configuration.pageBytes ?? this.#ram.pageBytes
    this.#ram.ignoresShared = configuration.capabilities.includes('x-ignore-shared')
    this.#sink.configuration(configuration)
  }

  /** Up to and with EOF. */
  #readItems(): void {
    const file = this.#file
    this.#seen = new Occurrences()
    this.#sections = this.#live.size
    for (;;) {
      this.#endPackage()
      file.item = 'item'
      const { offset } = file
      const type = file.u8()
      switch (type) {
        case ITEM_EOF:
          this.#sink.endOfItems(offset)
          if (this.#packageEnd === undefined) return
          break
        case SECTION_START:
        case SECTION_FULL:
          this.#readNewSection(type, offset)
          break
        case SECTION_PART:
        case SECTION_END:
          this.#readLiveSection(type, offset)
          break
        case ITEM_COMMAND:
          this.#readCommand(offset)
          break
        default:
          this.#refuse('unknown-item', offset, `0x${type.toString(16)} where an item begins`)
      }
    }
  }

  #endPackage(): void {
    const { offset } = this.#file
    if (this.#packageEnd === undefined || offset < this.#packageEnd) return
    if (offset > this.#packageEnd) {
      this.#refuse('bad-command', this.#packageEnd, 'the package ends inside of an item')
    }
    this.#packageEnd = undefined
    this.#delimiter.limit = undefined
    this.#sink.packageEnds(offset)
  }

  #readCommand(offset: number): void {
    const file = this.#file
    file.item = 'command'
    const id = file.u16()
    const length = file.u16()
    const fault = faultOfCommand(id, length)
    if (fault !== undefined) this.#refuse('bad-command', offset, fault)
    const data = file.take(length)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (id === COMMAND_ENABLE_COLO) this.#isColo = true
    if (id === COMMAND_POSTCOPY_ADVISE && length > 0) {
      const pages = view.getBigUint64(0)
      this.#ram.postcopyPages = pages
    }
    const packageBytes = id === COMMAND_PACKAGED ? view.getUint32(0) : 0
    this.#sink.command({ offset, id, data })
    if (id !== COMMAND_PACKAGED) return
    if (this.#packageEnd !== undefined) {
      this.#refuse('bad-command', offset, 'a package inside of a package')
    }
    this.#packageEnd = file.offset + packageBytes
    this.#delimiter.limit = this.#packageEnd
  }

  #readNewSection(type: typeof SECTION_START | typeof SECTION_FULL, offset: number): void {
    const file = this.#file
    file.item = 'section head'
    const sectionId = file.u32()
    const idstr = file.str8()
    file.item = idstr
    const instanceId = file.u32()
    const versionId = file.u32()
    const head = { type, offset, sectionId, idstr, instanceId, versionId }
    if (++this.#sections > SECTIONS_MAX) {
      this.#refuse('too-long', offset, `more than ${SECTIONS_MAX} sections`)
    }
    if (type === SECTION_START) {
      this.#live.set(sectionId, head)
      this.#checkVersion(head)
    }
    this.#readSection(head)
  }

  #readLiveSection(type: typeof SECTION_PART | typeof SECTION_END, offset: number): void {
    const sectionId = this.#file.u32()
    const start = this.#live.get(sectionId)
    if (start === undefined) {
      this.#refuse('unknown-item', offset, `a part of section ${sectionId}, which never began`)
    }
    this.#file.item = start.idstr
    this.#readSection({ ...start, type, offset })
  }

  #checkVersion({ idstr, versionId, offset }: SectionHead): void {
    const known =
      idstr === 'ram' ? 4 : idstr === 'block' || idstr === 'dirty-bitmap' ? 1 : versionId
    if (versionId !== known) {
      this.#refuse('bad-version', offset, `version ${versionId}, where QEMU 7.2 writes ${known}`)
    }
  }

  #readSection(head: SectionHead): void {
    const file = this.#file
    this.#sink.sectionBegins(head)
    const isLive = head.type !== SECTION_FULL
    if (isLive && head.idstr === 'ram') this.#ram.readBody()
    else if (isLive && head.idstr === 'block') readDiskBody(file, this.#sink)
    else if (isLive && head.idstr === 'dirty-bitmap') readDirtyBitmapBody(file, this.#sink)
    else {
      const { length, delimiter } = this.#delimiter.bodyOf({
        ...head,
        occurrence: this.#seen.next(head.idstr, head.instanceId),
      })
      const { offset } = file
      this.#sink.body(head, { offset, bytes: file.take(length), delimiter })
    }
    this.#readFooter(head)
  }

  #readFooter(head: SectionHead): void {
    const file = this.#file
    const end = file.offset
    this.#delimiter.hasFooters ??= file.peek() === ITEM_FOOTER
    const { hasFooters } = this.#delimiter
    if (hasFooters) {
      const type = file.u8()
      const sectionId = file.u32()
      if (type !== ITEM_FOOTER || sectionId !== head.sectionId) {
        const found =
          type === ITEM_FOOTER ? `the footer of section ${sectionId}` : `0x${type.toString(16)}`
        this.#refuse('bad-footer', end, `${found} behind section ${head.sectionId}`)
      }
    }
    this.#sink.sectionEnds(head, end, hasFooters)
  }

  #readDescription(): void {
    const file = this.#file
    if (file.peek() !== ITEM_DESCRIPTION) return
    const { offset } = file
    file.item = 'description'
    file.skip(1)
    const length = file.u32()
    if (length > LOOK_AHEAD_BYTES_MAX) this.#refuse('too-long', offset, `it has ${length} bytes`)
    const json = file.take(length)
    // What a checkpoint's devices have is known only from here.
    if (this.#isColo) this.#delimiter.sizes = this.#describe(json, offset + 5)
    this.#sink.description(offset, json)
  }

  #readPadding(): void {
    const file = this.#file
    const { offset } = file
    file.item = 'end of stream'
    while (!file.atEnd) {
      const bytes = file.take(Math.max(1, file.buffered))
      const other = firstOther(bytes)
      if (other >= 0) {
        const at = file.offset - bytes.length + other
        this.#refuse('unknown-item', at, 'there are bytes behind the end of the stream')
      }
    }
    this.#sink.padding(offset, file.offset - offset)
  }

  #refuse(code: ConstructorParameters<typeof QemuStreamError>[0], at: number, rule: string): never {
    throw new QemuStreamError(code, at, this.#file.item, rule)
  }
}

/** The first byte that is not zero, or -1. There may be gigabytes of them: without a call for each. */
function firstOther(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return at
  return -1
}
