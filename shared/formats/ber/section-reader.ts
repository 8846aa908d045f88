// Reads a QemuFile, section by section, and writes the stream that it was. Numbers that a stream has and the file
// has not (lengths, flags, footers) follow from what was read.

import { COMMAND_PACKAGED } from '../qemu/commands.ts'
import {
  SECTION_END,
  SECTION_FULL,
  SECTION_PART,
  SECTION_START,
  type ConfigurationSubsection,
  type SectionHead,
  type SectionType,
} from '../qemu/migration-sink.ts'
import { STREAM_VERSION } from '../qemu/migration-stream.ts'
import { MigrationWriter } from '../qemu/migration-writer.ts'
import type { QemuFileWriter } from '../qemu/qemu-file.ts'
import { QemuStreamError } from '../qemu/qemu-stream-error.ts'
import type { VmDescription } from '../qemu/vmdesc.ts'
import { BerError } from './ber-error.ts'
import type { BerReader } from './ber-reader.ts'
import { CONTEXT_0, OCTET_STRING, type Tag } from './ber-tag.ts'
import { CONFIGURATION_STATES } from './configuration-state.ts'
import { ConversionReport } from './conversion-report.ts'
import { DescribedDevices } from './described-devices.ts'
import { stateOutOfBer } from './device-state.ts'
import { moduleTagName, TAGS } from './migration-tags.ts'
import { PAGE_BYTES_DEFAULT } from './ram-list.ts'
import { readRamList } from './ram-list-reader.ts'
import { RamToStream } from './ram-to-stream.ts'

const U32_MAX = 2 ** 32 - 1
const U16_MAX = 2 ** 16 - 1
const SECTIONS_MAX = 65_536
/** Of a configuration; QEMU has three. */
const SUBSECTIONS_MAX = 64
const PAGE_BITS = 'configuration/target-page-bits'
/** As the reader of streams has it. */
const PAGE_BITS_MIN = 10
const PAGE_BITS_MAX = 16
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
    if (ber.tag === TAGS.Configuration) this.#configuration()
    else if (this.#ram.pageBytes !== PAGE_BYTES_DEFAULT) {
      const rule = `pages of ${this.#ram.pageBytes} bytes, and no Configuration`
      throw ber.error('bad-value', `${rule}: such streams have pages of ${PAGE_BYTES_DEFAULT}`)
    }
    this.#sections()
    this.#writer.endOfItems()
    ber.item = 'QemuFile'
    if (ber.tag === TAGS.VMDescription) this.#writer.description(0, ber.octets(TAGS.VMDescription))
    ber.item = 'trailer'
    if (ber.tag === CONTEXT_0) this.report.trailerBytes = this.#copy(CONTEXT_0)
    ber.item = 'QemuFile'
    ber.leave()
    ber.endOfFile()
    this.#file.flush()
    return this.report
  }

  #configuration(): void {
    const ber = this.#ber
    ber.item = 'configuration'
    ber.enter(TAGS.Configuration)
    const machine = ber.name()
    const subsections: ConfigurationSubsection[] = []
    if (ber.tag === TAGS.SubSecList) {
      ber.enter(TAGS.SubSecList)
      while (ber.more) {
        if (subsections.length === SUBSECTIONS_MAX) {
          throw ber.error('too-long', `more than ${SUBSECTIONS_MAX} subsections`)
        }
        subsections.push(this.#configurationSubsection())
      }
      ber.leave()
    }
    ber.leave()
    this.#writer.configuration({
      offset: 0,
      machine,
      subsections,
      pageBytes: this.#ram.pageBytes,
      capabilities: [],
    })
  }

  #configurationSubsection(): ConfigurationSubsection {
    const ber = this.#ber
    const { offset } = ber
    ber.enter(TAGS.SubSection)
    const name = ber.name()
    ber.item = name
    const version = ber.count(U32_MAX, 'versionid')
    const vmsd = CONFIGURATION_STATES.find((one) => one.name === name)
    if (vmsd === undefined) {
      const known = CONFIGURATION_STATES.map((one) => one.name).join(', ')
      throw ber.error('unexpected', `a subsection of the configuration other than ${known}`, offset)
    }
    const body = stateOutOfBer(ber, vmsd, version).slice()
    ber.leave()
    if (name === PAGE_BITS) {
      const bits = new DataView(body.buffer).getUint32(0)
      if (bits < PAGE_BITS_MIN || bits > PAGE_BITS_MAX) {
        const rule = `pages of ${bits} bits: from ${PAGE_BITS_MIN} to ${PAGE_BITS_MAX} are possible`
        throw ber.error('bad-value', rule, offset)
      }
      this.#ram.pageBytes = 2 ** bits
    }
    return { offset: 0, name, version, body }
  }

  /** A SEQUENCE OF Section. */
  #sections(): void {
    const ber = this.#ber
    ber.enter()
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
      const made = this.#file.offset - start
      if (made !== due) {
        const rule = `a package of ${made} bytes, where its command says ${due}`
        throw ber.error('bad-value', rule, offset)
      }
    }
    ber.leave()
  }

  #section(tag: Tag, type: SectionType): void {
    const ber = this.#ber
    ber.enter(tag)
    const head = this.#head(type)
    ber.item = `section ${head.idstr}`
    this.report.sections++
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
      this.report.deviceBytes += body.length
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
      this.report.deviceBytes += bytes
      this.report.blob(`${idstr} (${instanceId})`, bytes, 'an oldblob')
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
