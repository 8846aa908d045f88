// `--at`: what the byte at an offset belongs to: an item, a record of memory, or a field of a device.

import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { nameOfCommand } from '../../formats/qemu/stream/commands.ts'
import {
  SilentSink,
  type Configuration,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
  type StreamCommand,
} from '../../formats/qemu/stream/migration-sink.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { PAGE_BYTES_DEFAULT, RAM_CONTINUE } from '../../formats/qemu/stream/ram-section.ts'
import type { DecodeOptions } from './options.ts'
import { CliError } from '../../terminal/exit-codes.ts'
import { faultOf, finderFor } from './descriptions.ts'
import { DeviceStates, type KeptSection } from './device-states.ts'
import { FieldList, innerAt } from './field-list.ts'
import { say } from '../../terminal/standard-streams.ts'
import { complain, walk, type WalkSettings } from './walk.ts'

const hex = (value: number) => `0x${value.toString(16)}`

/** Names of section types, by their first byte. */
const SECTION_WORDS: Readonly<Record<number, string>> = {
  1: 'start',
  2: 'part',
  3: 'end',
  4: 'device',
}

/** Follows the walk with the offset of what is told next, and notes what covers the one wanted. */
class PlaceFinder extends SilentSink {
  readonly #wanted: number
  /** What is known so far of the byte, from the outside in. */
  found: string[] = []
  section: KeptSection | undefined
  #at = 0
  #pageBytes = PAGE_BYTES_DEFAULT
  #head: SectionHead | undefined

  constructor(wanted: number) {
    super()
    this.#wanted = wanted
  }

  override header(offset: number): void {
    this.#covers(offset, 8, 'header: QEVM and the version')
  }

  override configuration({ offset, machine, subsections, pageBytes }: Configuration): void {
    this.#pageBytes = pageBytes ?? this.#pageBytes
    this.#covers(offset, 5 + machine.length, `configuration: machine ${machine}`)
    for (const one of subsections) {
      this.#covers(one.offset, 6 + one.name.length + one.body.length, `subsection ${one.name}`)
    }
  }

  override command({ offset, id, data }: StreamCommand): void {
    this.#covers(offset, 5 + data.length, `command ${nameOfCommand(id)}`)
  }

  override sectionBegins(head: SectionHead): void {
    const { type, offset, idstr, sectionId } = head
    const isNew = type === 1 || type === 4
    const bytes = isNew ? 14 + idstr.length : 5
    this.#head = head
    this.#covers(offset, bytes, `head of section ${sectionId} (${idstr}, ${SECTION_WORDS[type]})`)
    this.#at = offset + bytes
  }

  override body(head: SectionHead, { offset, bytes, delimiter }: OpaqueBody): void {
    this.#at = offset + bytes.length
    if (this.#wanted < offset || this.#wanted >= this.#at) return
    this.found = [`section ${head.sectionId} (${head.idstr}, instance ${head.instanceId})`]
    this.section = { head, occurrence: 0, bodyOffset: offset, bytes: bytes.slice(), delimiter }
  }

  override sectionEnds({ sectionId, idstr }: SectionHead, end: number, hasFooter: boolean): void {
    if (this.#wanted >= this.#at && this.#wanted < end) {
      this.found = [`section ${sectionId} (${idstr}): record at ${hex(this.#at)}`]
    }
    if (hasFooter) this.#covers(end, 5, `footer of section ${sectionId} (${idstr})`)
  }

  override endOfItems(offset: number): void {
    this.#covers(offset, 1, 'end of the items')
  }

  override description(offset: number, json: Uint8Array): void {
    this.#covers(offset, 5 + json.length, 'the description')
  }

  override padding(offset: number, bytes: number): void {
    this.#covers(offset, bytes, 'padding behind the end of the stream')
  }

  override coloMessage(offset: number, code: number, size: number | undefined): void {
    this.#covers(offset, size === undefined ? 4 : 12, `message ${code} of the COLO loop`)
  }

  override blocks(offset: number, blocks: readonly RamBlock[]): void {
    this.#at = offset
    let bytes = 8
    for (const block of blocks) {
      const extra = (block.pageBytes === undefined ? 0 : 8) + (block.address === undefined ? 0 : 8)
      bytes += 9 + block.name.length + extra
    }
    this.#record(bytes, 'the list of blocks')
  }

  override zeroPage(block: RamBlock, address: number, flags: number): void {
    this.#page(block, address, flags, 1, 'zero page')
  }

  override page(block: RamBlock, address: number, flags: number): void {
    this.#page(block, address, flags, this.#pageBytes, 'page')
  }

  override xbzrlePage(
    ...[block, address, flags, , , length]: [RamBlock, number, number, Uint8Array, number, number]
  ): void {
    this.#page(block, address, flags, 3 + length, 'XBZRLE page')
  }

  override compressedPage(
    ...[block, address, flags, , , length]: [RamBlock, number, number, Uint8Array, number, number]
  ): void {
    this.#page(block, address, flags, 4 + length, 'compressed page')
  }

  override mark(): void {
    this.#record(8, 'a record without data')
  }

  #page(block: RamBlock, address: number, flags: number, bytes: number, what: string): void {
    const name = (flags & RAM_CONTINUE) === 0 ? 1 + block.name.length : 0
    const start = this.#at + 8 + name
    const inside = this.#wanted - start
    const place = inside >= 0 && inside < bytes ? `, byte ${inside} of its data` : ''
    this.#record(8 + name + bytes, `${what} ${hex(address)} of ${block.name}${place}`)
  }

  #record(bytes: number, what: string): void {
    const { sectionId = 0, idstr = '' } = this.#head ?? {}
    this.#covers(
      this.#at,
      bytes,
      `section ${sectionId} (${idstr}): ${what}, record at ${hex(this.#at)}`,
    )
    this.#at += bytes
  }

  #covers(offset: number, bytes: number, what: string): void {
    if (this.#wanted >= offset && this.#wanted < offset + bytes) this.found = [what]
  }
}

export async function showPlace(
  path: string,
  wanted: number,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  const finder = new PlaceFinder(wanted)
  // Pages of channels lie in other files.
  const walked = await walk(path, finder, { ...settings, channels: [] })
  const found = [...finder.found]
  if (finder.section !== undefined) found.push(...(await fieldAt(path, wanted, settings)))
  if (found.length === 0) {
    complain(path, walked)
    throw new CliError('usage', `${path}: ${wanted} is behind its end, at byte ${walked.offset}`)
  }
  const told = { offset: wanted, place: found }
  const text =
    options.format === 'json' ? JSON.stringify(told) : `${hex(wanted)}: ${found.join('; ')}`
  say(`${text}\n`)
}

/** The field of a device, by the state that holds the byte. */
async function fieldAt(path: string, wanted: number, settings: WalkSettings): Promise<string[]> {
  const states = new MomentAt(wanted)
  await walk(path, states, settings)
  states.finish()
  const { hit } = states
  if (hit === undefined) return []
  const find = await finderFor(states, settings.other)
  const from = new BinaryInputVisitor(QemuFileReader.over(hit.bytes, hit.bodyOffset))
  const list = new FieldList(from)
  const fault = faultOf(hit, find, from, list)
  const row = list.rows.find(({ offset, size }) => wanted >= offset && wanted < offset + size)
  if (row === undefined) return [fault ?? 'the head of a subsection or of an element']
  const told = [
    `${row.path} = ${row.value} (${row.type}), byte ${wanted - row.offset} of ${row.size}`,
  ]
  const inner = innerAt(row, wanted)
  return inner === undefined ? told : [...told, inner]
}

/** Keeps the section that holds the byte, with the occurrence that tells its description. */
class MomentAt extends DeviceStates {
  readonly #wanted: number

  constructor(wanted: number) {
    super([])
    this.#wanted = wanted
  }

  hit: KeptSection | undefined

  override kept(section: KeptSection): boolean {
    const { bodyOffset, bytes } = section
    const isHit = this.#wanted >= bodyOffset && this.#wanted < bodyOffset + bytes.length
    if (isHit) this.hit = { ...section, bytes: bytes.slice() }
    return false
  }
}
