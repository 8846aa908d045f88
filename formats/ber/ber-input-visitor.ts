// The state of a device read out of BER: VMState of the module, element by element as the description wants it.
// What the description does not want, or wants otherwise, is an error that names the field.

import { bitmapBytes } from '../qemu/vmstate/binary-visitor.ts'
import { vmstateType, type IntegerType } from '../qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../qemu/vmstate/vmstate.ts'
import type { InputVisitor } from '../qemu/vmstate/visitor.ts'
import type { BerReader } from './ber-reader.ts'
import { NULL } from './ber-tag.ts'
import { TAGS } from './migration-tags.ts'

const VERSION_MAX = 2 ** 32 - 1
const ELEMENTS_MAX = 2 ** 32 - 1
const U64_BYTES = 8
const INT64_END = 2n ** 63n

/** One VMState that is being read. */
interface Level {
  phase: 'fields' | 'subsections' | 'end'
  /** The name of the subsection that was looked at and not begun. */
  next: string | undefined
}

export class BerInputVisitor implements InputVisitor {
  readonly #ber: BerReader
  readonly #levels: Level[] = []

  constructor(ber: BerReader) {
    this.#ber = ber
  }

  get offset(): number {
    return this.#ber.offset
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    this.#ber.item = field?.name ?? vmsd.name
    this.#ber.enter(TAGS.VMState)
    this.#ber.enter()
    this.#levels.push({ phase: 'fields', next: undefined })
  }

  endStruct(vmsd: VMStateDescription): void {
    const level = this.#levels.pop()
    this.#ber.item = vmsd.name
    if (level?.next !== undefined) {
      throw this.#ber.error(
        'unexpected',
        `the subsection ${level.next} is none of this description`,
      )
    }
    this.#ber.leave()
  }

  beginArray(field: VMStateField): void {
    this.#ber.item = field.name
    this.#ber.enter()
  }

  endArray(field: VMStateField): void {
    this.#ber.item = field.name
    this.#ber.leave()
  }

  beginList(field: VMStateField): number | undefined {
    this.beginArray(field)
    const isTree = vmstateType(field.type).kind === 'tree'
    return isTree ? this.#ber.count(ELEMENTS_MAX, 'the number of elements') : undefined
  }

  nextElement(): boolean {
    return this.#ber.more
  }

  endList(field: VMStateField): void {
    this.endArray(field)
  }

  nullPointer(field: VMStateField, expected?: boolean): boolean {
    this.#ber.item = field.name
    if (expected === false || (this.#ber.tag !== NULL && expected !== true)) return false
    this.#ber.null()
    return true
  }

  bool(field: VMStateField): boolean {
    this.#ber.item = field.name
    return this.#ber.boolean()
  }

  int(field: VMStateField, { bytes, signed }: IntegerType): number {
    const ber = this.#ber
    ber.item = field.name
    const { offset } = ber
    const value = Number(ber.integer())
    const end = 2 ** (8 * bytes - (signed ? 1 : 0))
    if (value >= (signed ? -end : 0) && value < end) return value
    const rule = `${value} does not fit ${8 * bytes} bits`
    throw ber.error('bad-value', rule, offset)
  }

  int64(field: VMStateField, { signed }: IntegerType): bigint {
    const ber = this.#ber
    ber.item = field.name
    const { offset } = ber
    if (!signed && ber.tag === TAGS.u64) return this.#u64()
    const value = BigInt(ber.integer())
    if (signed || value >= 0n) return value
    throw ber.error('bad-value', `${value} is below 0`, offset)
  }

  bytes(field: VMStateField, size: number): Uint8Array {
    this.#ber.item = field.name
    const { offset } = this.#ber
    return this.#ofSize(this.#ber.octets(), size, offset)
  }

  bitmap(field: VMStateField, bits: number): Uint8Array {
    this.#ber.item = field.name
    const { offset } = this.#ber
    return this.#ofSize(this.#ber.bits(), bitmapBytes(bits), offset)
  }

  text(field: VMStateField): string {
    this.#ber.item = field.name
    return this.#ber.bytesText(0)
  }

  peekSubsection(parent: VMStateDescription): string | undefined {
    const ber = this.#ber
    const level = this.#levels.at(-1)
    if (level === undefined) return undefined
    ber.item = parent.name
    if (level.phase === 'fields') {
      ber.leave()
      level.phase = 'end'
      if (ber.tag === TAGS.SubSecList) {
        ber.enter(TAGS.SubSecList)
        level.phase = 'subsections'
      }
    }
    if (level.phase === 'subsections' && level.next === undefined) {
      if (ber.more) {
        ber.enter(TAGS.SubSection)
        level.next = ber.name()
      } else {
        ber.leave()
        level.phase = 'end'
      }
    }
    return level.next
  }

  beginSubsection(vmsd: VMStateDescription): number {
    const ber = this.#ber
    ber.item = vmsd.name
    const version = ber.count(VERSION_MAX, 'versionid')
    const level = this.#levels.at(-1)
    if (level !== undefined) level.next = undefined
    this.beginStruct(vmsd)
    return version
  }

  endSubsection(vmsd: VMStateDescription): void {
    this.endStruct(vmsd)
    this.#ber.leave()
  }

  #u64(): bigint {
    const { offset } = this.#ber
    const octets = this.#ofSize(this.#ber.octets(TAGS.u64), U64_BYTES, offset)
    let value = 0n
    for (const octet of octets) value = (value << 8n) | BigInt(octet)
    if (value >= INT64_END) return value
    throw this.#ber.error('bad-value', `${value} is an INTEGER: u64 begins at 2^63`, offset)
  }

  #ofSize(octets: Uint8Array, size: number, offset: number): Uint8Array {
    if (octets.length === size) return octets
    const rule = `${octets.length} bytes, where the description has ${size}`
    throw this.#ber.error('bad-value', rule, offset)
  }
}
