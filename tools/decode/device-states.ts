// The device sections of one moment of a stream, kept until the description is known: of a plain stream there
// is one such moment, of a COLO session one behind the first migration and one behind each checkpoint. Only the
// moment that is asked for is kept, or the last that was whole.

import { Occurrences } from '../../formats/qemu/description/description-sizes.ts'
import {
  SECTION_FULL,
  SilentSink,
  type Delimiter,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
} from '../../formats/qemu/stream/migration-sink.ts'
import { COLO_VMSTATE_SEND } from '../../formats/qemu/stream/colo-session.ts'
import { LOOK_AHEAD_BYTES_MAX } from '../../formats/qemu/stream/look-ahead.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { ByteShelf } from './byte-shelf.ts'

export interface KeptSection {
  readonly head: SectionHead
  /** How many sections of this name and instance the moment has before it. */
  readonly occurrence: number
  readonly bodyOffset: number
  readonly bytes: Uint8Array
  readonly delimiter: Delimiter
}

export interface Moment {
  /** 0: the migration itself; n: the n-th checkpoint. */
  readonly number: number
  readonly sections: KeptSection[]
}

export class DeviceStates extends SilentSink {
  readonly #wanted: ReadonlySet<number> | undefined
  /** Those wanted, or the last. */
  readonly moments = new Map<number, Moment>()
  ram: { readonly head: SectionHead; blocks: readonly RamBlock[] } | undefined
  json: Uint8Array | undefined
  wholeCheckpoints = 0
  jsonOffset = 0
  #head: SectionHead | undefined
  #current: Moment = { number: 0, sections: [] }
  #keptBytes = 0
  #seen = new Occurrences()
  /** Where the bytes of the current moment lie, and those of the last. */
  #shelf = new ByteShelf()
  #otherShelf = new ByteShelf()

  /** Without numbers: the last moment that is whole, or what there is of the only one. */
  constructor(wanted?: readonly number[]) {
    super()
    this.#wanted = wanted === undefined ? undefined : new Set(wanted)
  }

  get last(): Moment | undefined {
    return [...this.moments.values()].at(-1)
  }

  override sectionBegins(head: SectionHead): void {
    this.#head = head
  }

  override blocks(_offset: number, blocks: readonly RamBlock[]): void {
    if (this.#head !== undefined) this.ram = { head: this.#head, blocks }
  }

  override body(head: SectionHead, { offset, bytes, delimiter }: OpaqueBody): void {
    if (head.type !== SECTION_FULL) return
    const { idstr, instanceId } = head
    const occurrence = this.#seen.next(idstr, instanceId)
    const section = { head, occurrence, bodyOffset: offset, bytes, delimiter }
    if (!this.kept(section)) return
    this.#keptBytes += bytes.length + idstr.length
    if (this.#keptBytes > LOOK_AHEAD_BYTES_MAX) {
      const rule = `devices of more than ${LOOK_AHEAD_BYTES_MAX} bytes, and no more are kept`
      throw new QemuStreamError('too-long', offset, idstr, rule)
    }
    this.#current.sections.push({ ...section, bytes: this.#shelf.keep(bytes) })
  }

  /** Whether the section is one to keep; its bytes are lent. */
  kept(_section: KeptSection): boolean {
    return this.#wanted === undefined || this.#wanted.has(this.#current.number)
  }

  override description(offset: number, json: Uint8Array): void {
    this.json = json.slice()
    this.jsonOffset = offset + 5
    this.#keep()
  }

  override coloMessage(_offset: number, code: number): void {
    if (code !== COLO_VMSTATE_SEND) return
    if (this.#current.number === 0) this.#keep()
    const before = this.#current
    this.#current = { number: this.#current.number + 1, sections: [] }
    this.#seen = new Occurrences()
    if (this.#wanted === undefined) this.#changeShelves(this.last === before)
  }

  /** A moment that was not kept gives up its own shelf, one that was its predecessor's. */
  #changeShelves(wasKept: boolean): void {
    this.#keptBytes = 0
    if (wasKept) [this.#shelf, this.#otherShelf] = [this.#otherShelf, this.#shelf]
    this.#shelf.clear()
  }

  override deviceStateEnds(): void {
    this.wholeCheckpoints++
    this.#keep()
  }

  /** The stream is over, or broken off: of a migration without checkpoints, what came counts. */
  finish(): void {
    if (this.#current.number === 0) this.#keep()
  }

  #keep(): void {
    const { number } = this.#current
    if (this.#wanted !== undefined && !this.#wanted.has(number)) return
    if (this.#wanted === undefined) this.moments.clear()
    this.moments.set(number, this.#current)
  }
}
