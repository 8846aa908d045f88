// Writes a QemuFile from what the walk through a stream says, word by word: the first migration, its description,
// and the checkpoints of a COLO session behind it, whose sections are written as all others are.

import {
  SECTION_END,
  SECTION_FULL,
  SECTION_PART,
  SECTION_START,
  SilentSink,
  type Configuration,
  type DirtyBitmapRecord,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
  type SectionType,
  type StreamCommand,
} from '../qemu/stream/migration-sink.ts'
import { COMMAND_PACKAGED } from '../qemu/stream/commands.ts'
import { RAM_CONTINUE, RAM_EOS, RAM_HOOK, RAM_MULTIFD_FLUSH } from '../qemu/stream/ram-section.ts'
import type { VmDescription } from '../qemu/description/vmdesc.ts'
import { CONTEXT_0, CONTEXT_1, OCTET_STRING, SEQUENCE, type Tag } from './ber-tag.ts'
import type { BerWriter } from './ber-writer.ts'
import { CONFIGURATION_STATES } from './configuration-state.ts'
import { ConversionReport, type DeviceTally } from './conversion-report.ts'
import { DescribedDevices } from './described-devices.ts'
import { stateIntoBer, type StateInBer } from './device-state.ts'
import { TAGS } from './migration-tags.ts'
import { RamListWriter } from './ram-list-writer.ts'
import { RecordString } from './record-string.ts'

const SECTION_TAGS: Readonly<Record<SectionType, Tag>> = {
  [SECTION_START]: TAGS.SecStart,
  [SECTION_PART]: TAGS.SecPart,
  [SECTION_END]: TAGS.SecEnd,
  [SECTION_FULL]: TAGS.SecFull,
}

export class SectionWriter extends SilentSink {
  readonly #ber: BerWriter
  readonly #devices: DescribedDevices
  readonly #ram: RamListWriter
  readonly #records: RecordString
  readonly report = new ConversionReport()
  /** Of the first migration, then of the checkpoints. */
  #tally: DeviceTally = this.report
  /** Of a page of the target. */
  #pageBytes: number
  /** Any block, for the records that are of none. */
  #anyBlock = 'ram'
  /** The list that the next item goes into, and whether it is open. */
  #listTag = SEQUENCE
  #isInList = false
  #isInPackage = false
  #isInSession = false
  #isRam = false
  #paddingBytes = 0

  /** `description`: of the devices, or why there is none; then all of them stay bytes. */
  constructor(ber: BerWriter, description: VmDescription | string, pageBytes: number) {
    super()
    this.#ber = ber
    this.#pageBytes = pageBytes
    this.#devices = new DescribedDevices(description)
    this.#ram = new RamListWriter(ber)
    this.#records = new RecordString(ber)
    this.#records.configure(pageBytes)
  }

  /** To be called behind the walk. `rest` gives what follows what was walked through, piece by piece. */
  finish(rest: (take: (bytes: Uint8Array) => void) => void): void {
    const ber = this.#ber
    if (this.#isInSession) ber.close()
    ber.item = 'trailer'
    this.#records.begin(CONTEXT_0)
    this.#records.writer.padding(0, this.#paddingBytes)
    rest((bytes) => this.#records.raw(bytes))
    this.report.trailerBytes = this.#records.end()
    ber.close()
    ber.finish()
  }

  override header(_offset: number, version: number): void {
    this.#ber.open(TAGS.QemuFile)
    this.#ber.integer(version)
  }

  override configuration(configuration: Configuration): void {
    const ber = this.#ber
    const { machine, subsections, pageBytes = this.#pageBytes } = configuration
    this.#records.configure(pageBytes)
    this.#pageBytes = pageBytes
    ber.item = 'configuration'
    ber.hold(TAGS.Configuration)
    ber.name(machine)
    if (subsections.length > 0) ber.hold(TAGS.SubSecList)
    for (const { name, version, body } of subsections) {
      ber.item = name
      ber.hold(TAGS.SubSection)
      ber.name(name)
      ber.integer(version)
      this.#configurationState(name, version, body)
      ber.close()
    }
    if (subsections.length > 0) ber.close()
    ber.close()
  }

  override command({ id, data }: StreamCommand): void {
    const ber = this.#ber
    this.#needSections()
    ber.item = `command ${id}`
    ber.open(TAGS.Command)
    ber.integer(id)
    ber.octets(data)
    this.#isInPackage ||= id === COMMAND_PACKAGED
    if (id === COMMAND_PACKAGED) ber.open()
    else ber.close()
  }

  override packageEnds(): void {
    this.#isInPackage = false
    this.#ber.close()
    this.#ber.close()
  }

  override endOfItems(): void {
    this.#needSections()
    if (this.#isInPackage) this.#ber.null(TAGS.eof)
    else {
      this.#ber.close()
      this.#isInList = false
    }
  }

  override description(_offset: number, json: Uint8Array): void {
    this.#ber.octets(json, TAGS.VMDescription)
  }

  /** What opens a list of sections is written with the first of them: a session may end ahead of it. */
  override coloMessage(_offset: number, code: number, size: number | undefined): void {
    const ber = this.#ber
    ber.item = 'COLO message'
    if (!this.#isInSession) ber.open(CONTEXT_1)
    this.#isInSession = true
    this.#tally = this.report.checkpoints
    this.#listTag = TAGS.CheckpointPages
    if (size === undefined) ber.integer(code, TAGS.ColoMessage)
    else {
      this.#listTag = SEQUENCE
      ber.open(TAGS.CheckpointState)
      ber.integer(size)
      this.#devices.restart()
    }
  }

  override deviceStateEnds(): void {
    this.report.checkpoints.count++
    this.#ber.close()
  }

  override padding(_offset: number, length: number): void {
    this.#paddingBytes = length
  }

  override sectionBegins({ type, sectionId, idstr, ...head }: SectionHead): void {
    const ber = this.#ber
    this.#needSections()
    this.#tally.sections++
    ber.item = `section ${idstr}`
    ber.open(SECTION_TAGS[type])
    ber.integer(sectionId)
    if (type === SECTION_START || type === SECTION_FULL) {
      ber.name(idstr)
      ber.integer(head.instanceId)
      ber.integer(head.versionId)
    }
    this.#isRam = type !== SECTION_FULL && idstr === 'ram'
    if (this.#isRam) this.#ram.begin(this.#pageBytes)
    else this.#records.begin(OCTET_STRING)
  }

  override sectionEnds(_head: SectionHead, _end: number, hasFooter: boolean): void {
    if (this.#isRam) this.#ram.end()
    else this.report.diskBytes += this.#records.end()
    if (!hasFooter) this.#ber.null(CONTEXT_0)
    this.#ber.close()
  }

  override body(head: SectionHead, { bytes }: OpaqueBody): void {
    const tally = this.#tally
    tally.deviceBytes += bytes.length
    const { encoded, reason = '' } = this.#stateOf(head, bytes)
    if (encoded !== undefined) {
      this.#ber.encoded(encoded)
      return
    }
    tally.blob(`${head.idstr} (${head.instanceId})`, bytes.length, reason)
    this.#ber.octets(bytes)
  }

  override blocks(_offset: number, blocks: readonly RamBlock[]): void {
    const totalBytes = blocks.reduce((sum, { usedBytes }) => sum + usedBytes, 0)
    this.#anyBlock = blocks[0]?.name ?? this.#anyBlock
    this.#ram.blockList(totalBytes, blocks)
  }

  override zeroPage({ name }: RamBlock, address: number, flags: number, fill: number): void {
    this.#ram.zeroPage(name, (flags & RAM_CONTINUE) !== 0, address, fill)
  }

  override page(
    { name }: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
  ): void {
    const page = bytes.subarray(start, start + this.#pageBytes)
    this.#ram.page(name, (flags & RAM_CONTINUE) !== 0, address, page)
  }

  override xbzrlePage(
    { name }: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    const page = bytes.subarray(start, start + length)
    this.#ram.xbzrlePage(name, (flags & RAM_CONTINUE) !== 0, address, page)
  }

  override compressedPage(
    { name }: RamBlock,
    address: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    const page = bytes.subarray(start, start + length)
    this.#ram.zlibPage(name, (flags & RAM_CONTINUE) !== 0, address, page)
  }

  override mark(high: number, low: number): void {
    if (high === 0 && low === RAM_EOS) return
    if (high === 0 && low === RAM_HOOK) this.#ram.hook(this.#anyBlock)
    else if (high === 0 && low === RAM_MULTIFD_FLUSH) this.#ram.multifdFlush(this.#anyBlock)
    else
      throw this.#ber.error('bad-value', 'a mark with an address: the module has no place for it')
  }

  override diskChunk(device: string, sector: bigint, flags: number, bytes?: Uint8Array): void {
    this.#records.writer.diskChunk(device, sector, flags, bytes)
  }

  override diskMark(value: bigint, flags: number): void {
    this.#records.writer.diskMark(value, flags)
  }

  override dirtyBitmap(record: DirtyBitmapRecord): void {
    this.#records.writer.dirtyBitmap(record)
  }

  #stateOf(head: SectionHead, bytes: Uint8Array): StateInBer {
    const device = this.#devices.next(head)
    if (typeof device === 'string') return { reason: device }
    return stateIntoBer(bytes, device.vmsd, head.versionId)
  }

  #needSections(): void {
    if (!this.#isInList) this.#ber.open(this.#listTag)
    this.#isInList = true
  }

  /** A subsection whose description is not known is a VMState of one buffer. */
  #configurationState(name: string, version: number, body: Uint8Array): void {
    const ber = this.#ber
    const vmsd = CONFIGURATION_STATES.find((one) => one.name === name)
    const { encoded } = vmsd === undefined ? {} : stateIntoBer(body, vmsd, version)
    if (encoded !== undefined) {
      ber.encoded(encoded)
      return
    }
    ber.hold(TAGS.VMState)
    ber.hold()
    ber.octets(body)
    ber.close()
    ber.close()
  }
}
