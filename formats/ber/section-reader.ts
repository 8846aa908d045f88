// Reads a QemuFile, section by section, and writes the stream that it was. Numbers that a stream has and the file
// has not (lengths, flags, footers) follow from what was read.

import { COLO_VMSTATE_SIZE } from '../qemu/stream/colo-session.ts'
import { COMMAND_PACKAGED } from '../qemu/stream/commands.ts'
import { LOOK_AHEAD_BYTES_MAX } from '../qemu/stream/look-ahead.ts'
import {
  SECTION_END,
  SECTION_FULL,
  SECTION_PART,
  SECTION_START,
  type SectionHead,
  type SectionType,
} from '../qemu/stream/migration-sink.ts'
import { STREAM_VERSION } from '../qemu/stream/migration-stream.ts'
import { MigrationWriter } from '../qemu/stream/migration-writer.ts'
import type { QemuFileWriter } from '../qemu/file/qemu-file.ts'
import { QemuStreamError } from '../qemu/file/qemu-stream-error.ts'
import type { VmDescription } from '../qemu/description/vmdesc.ts'
import { BerError } from './ber-error.ts'
import type { BerReader } from './ber-reader.ts'
import { CONTEXT_0, CONTEXT_1, OCTET_STRING, SEQUENCE, type Tag } from './ber-tag.ts'
import { readConfiguration } from './configuration-reader.ts'
import { ConversionReport, type DeviceTally } from './conversion-report.ts'
import { DescribedDevices } from './described-devices.ts'
import { stateOutOfBer } from './device-state.ts'
import { moduleTagName, TAGS } from './migration-tags.ts'
import { PAGE_BYTES_DEFAULT } from './ram-list.ts'
import { readRamList } from './ram-list-reader.ts'
import { RamToStream } from './ram-to-stream.ts'

const U32_MAX = 2 ** 32 - 1
const U16_MAX = 2 ** 16 - 1
const SECTIONS_MAX = 65_536
const PACKAGE_DATA_BYTES = 4

const SECTION_TYPES: ReadonlyMap<Tag, SectionType> = new Map([
  [TAGS.SecStart, SECTION_START],
  [TAGS.SecPart, SECTION_PART],
  [TAGS.SecEnd, SECTION_END],
  [TAGS.SecFull, SECTION_FULL],
])

export class SectionReader {
  readonly #ber: BerReader
  readonly #file: QemuFileWriter
  readonly #writer: MigrationWriter
  readonly #devices: DescribedDevices
  readonly #ram: RamToStream
  readonly #live = new Map<number, SectionHead>()
  readonly report = new ConversionReport()
  /** Of the first migration, then of the checkpoints. */
  #tally: DeviceTally = this.report

  /** `description`: of the devices, or why there is none. */
  constructor(
    ber: BerReader,
    file: QemuFileWriter,
    description: VmDescription | string,
    pageBytes: number,
  ) {
    this.#ber = ber
    this.#file = file
    this.#writer = new MigrationWriter(file)
    this.#devices = new DescribedDevices(description)
    this.#ram = new RamToStream(this.#writer, ber)
    this.#ram.pageBytes = pageBytes
  }

  /** Raises BerError, or QemuStreamError for what a stream cannot have. */
  read(): ConversionReport {
    const ber = this.#ber
    ber.item = 'QemuFile'
    ber.enter(TAGS.QemuFile)
    const { offset } = ber
    const version = ber.count(U32_MAX, 'fileversion')
    if (version !== STREAM_VERSION) {
      const rule = `fileversion is ${version}: ${STREAM_VERSION} is the only one`
      throw ber.error('bad-value', rule, offset)
    }
    this.#writer.header(0, version)
    if (ber.tag === TAGS.Configuration) {
      const configuration = readConfiguration(ber, this.#ram.pageBytes)
      this.#ram.pageBytes = configuration.pageBytes
      this.#writer.configuration(configuration)
    } else if (this.#ram.pageBytes !== PAGE_BYTES_DEFAULT) {
      const rule = `pages of ${this.#ram.pageBytes} bytes, and no Configuration`
      throw ber.error('bad-value', `${rule}: such streams have pages of ${PAGE_BYTES_DEFAULT}`)
    }
    this.#sections()
    this.#writer.endOfItems()
    ber.item = 'QemuFile'
    if (ber.tag === TAGS.VMDescription) this.#writer.description(0, ber.octets(TAGS.VMDescription))
    if (ber.tag === CONTEXT_1) this.#session()
    ber.item = 'trailer'
    if (ber.tag === CONTEXT_0) this.report.trailerBytes = this.#copy(CONTEXT_0)
    ber.item = 'QemuFile'
    ber.leave()
    ber.endOfFile()
    this.#file.flush()
    return this.report
  }

  /** The checkpoints of a COLO session. */
  #session(): void {
    const ber = this.#ber
    this.#tally = this.report.checkpoints
    ber.enter(CONTEXT_1)
    while (ber.more) {
      ber.item = 'ColoItem'
      const { offset, tag } = ber
      if (tag === TAGS.ColoMessage) {
        const code = ber.count(U32_MAX, 'message', tag)
        if (code === COLO_VMSTATE_SIZE) {
          throw ber.error('bad-value', `message ${code} has a state behind it`, offset)
        }
        this.#writer.coloMessage(0, code, undefined)
      } else if (tag === TAGS.CheckpointPages) {
        this.#sections(tag)
        this.#writer.endOfItems()
      } else if (tag === TAGS.CheckpointState) this.#checkpointState()
      else throw ber.error('unexpected', `${moduleTagName(tag)} where a ColoItem should be`)
    }
    ber.leave()
  }

  #checkpointState(): void {
    const ber = this.#ber
    const { offset } = ber
    ber.enter(TAGS.CheckpointState)
    const size = ber.count(LOOK_AHEAD_BYTES_MAX, 'size')
    this.#writer.coloMessage(0, COLO_VMSTATE_SIZE, size)
    this.#devices.restart()
    const start = this.#file.offset
    this.#sections()
    this.#writer.endOfItems()
    this.#checkSize('a device state', this.#file.offset - start, size, offset)
    ber.leave()
    this.report.checkpoints.count++
  }

  #checkSize(what: string, made: number, due: number, offset: number): void {
    if (made === due) return
    const rule = `${what} of ${made} bytes, where ${due} are announced`
    throw this.#ber.error('bad-value', rule, offset)
  }

  /** A SEQUENCE OF Section. */
  #sections(list = SEQUENCE): void {
    const ber = this.#ber
    ber.enter(list)
    while (ber.more) {
      ber.item = 'Section'
      const { tag } = ber
      const type = SECTION_TYPES.get(tag)
      if (type !== undefined) this.#section(tag, type)
      else if (tag === TAGS.Command) this.#command()
      else if (tag === TAGS.eof) {
        ber.null(TAGS.eof)
        this.#writer.endOfItems()
      } else throw ber.error('unexpected', `${moduleTagName(tag)} where a Section should be`)
    }
    ber.leave()
  }

  #command(): void {
    const ber = this.#ber
    const { offset } = ber
    ber.enter(TAGS.Command)
    const id = ber.count(U16_MAX, 'command')
    ber.item = `command ${id}`
    const data = ber.octets().slice()
    if (data.length > U16_MAX) throw ber.error('too-long', `${data.length} bytes of data`, offset)
    this.#writer.command({ offset: 0, id, data })
    if (id === COMMAND_PACKAGED) {
      const view = new DataView(data.buffer)
      const due = data.length === PACKAGE_DATA_BYTES ? view.getUint32(0) : 0
      const start = this.#file.offset
      this.#sections()
      this.#checkSize('a package', this.#file.offset - start, due, offset)
    }
    ber.leave()
  }

  #section(tag: Tag, type: SectionType): void {
    const ber = this.#ber
    ber.enter(tag)
    const head = this.#head(type)
    ber.item = `section ${head.idstr}`
    this.#tally.sections++
    this.#writer.sectionBegins(head)
    if (ber.tag === TAGS.RAMSecList) {
      readRamList(ber, this.#ram)
      this.#ram.endSection()
    } else if (ber.tag === TAGS.VMState) this.#state(head)
    else if (ber.tag === OCTET_STRING) this.#blob(head)
    else throw ber.error('unexpected', `${moduleTagName(ber.tag)} where SecContents should be`)
    ber.item = `section ${head.idstr}`
    const hasFooter = ber.tag !== CONTEXT_0
    if (!hasFooter) ber.null(CONTEXT_0)
    ber.leave()
    this.#writer.sectionEnds(head, 0, hasFooter)
  }

  #head(type: SectionType): SectionHead {
    const ber = this.#ber
    const { offset } = ber
    const sectionId = ber.count(U32_MAX, 'sectionid')
    if (type === SECTION_PART || type === SECTION_END) {
      const start = this.#live.get(sectionId)
      if (start !== undefined) return { ...start, type }
      throw ber.error('unexpected', `a part of section ${sectionId}, which never began`, offset)
    }
    const idstr = ber.name()
    const instanceId = ber.count(U32_MAX, 'instanceid')
    const versionId = ber.count(U32_MAX, 'versionid')
    const head = { type, offset: 0, sectionId, idstr, instanceId, versionId }
    if (type === SECTION_FULL) return head
    if (this.#live.size >= SECTIONS_MAX) throw ber.error('too-long', 'too many live sections')
    this.#live.set(sectionId, head)
    return head
  }

  #state(head: SectionHead): void {
    const ber = this.#ber
    const { offset } = ber
    const device = this.#devices.next(head)
    if (typeof device === 'string') throw ber.error('no-description', device, offset)
    const { idstr, versionId } = head
    try {
      const body = stateOutOfBer(ber, device.vmsd, versionId)
      this.#tally.deviceBytes += body.length
      this.#file.bytes(body)
    } catch (error) {
      throw placed(error, idstr)
    }
  }

  #blob(head: SectionHead): void {
    const { type, idstr, instanceId } = head
    const bytes = this.#copy(OCTET_STRING)
    if (type === SECTION_FULL) {
      this.#devices.next(head)
      this.#tally.deviceBytes += bytes
      this.#tally.blob(`${idstr} (${instanceId})`, bytes, 'an oldblob')
    } else this.report.diskBytes += bytes
  }

  #copy(tag: Tag): number {
    return this.#ber.copy(tag, (bytes) => this.#file.bytes(bytes))
  }
}

/** The same error, with the device it was met in. */
function placed(error: unknown, idstr: string): unknown {
  if (error instanceof BerError) {
    return new BerError(error.code, error.offset, `${idstr} > ${error.item}`, error.rule)
  }
  if (error instanceof QemuStreamError) {
    return new QemuStreamError(error.code, error.offset, `${idstr} > ${error.item}`, error.rule)
  }
  return error
}
