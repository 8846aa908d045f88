// Where the body of a section ends that carries no length and no records. Three things can tell, and are asked in
// this order: the description behind the stream, which has the size of every device; the footer, which repeats
// the section's number; and, in streams of old machines that have neither, what looks like the head of the next
// section. Bodies can hold what looks like a footer, so a split by footers is checked against the description
// once that is found, and made again by it if they differ. All of it looks ahead in the reader's own buffer.

import { Occurrences, sizesOfDevices, type SizeOfDevice } from '../description/description-sizes.ts'
import { ItemLooks } from './item-looks.ts'
import { LOOK_AHEAD_BYTES_MAX, LookAhead } from './look-ahead.ts'
import { SECTION_FULL, type Delimiter } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import {
  FOOTER_BYTES,
  ITEM_COMMAND,
  ITEM_DESCRIPTION,
  ITEM_EOF,
  ITEM_FOOTER,
} from '../file/stream-items.ts'

/** Section numbers leave gaps, but hardly any of more. */
const NUMBERS_SKIPPED_MAX = 64

interface Named {
  readonly sectionId: number
  readonly idstr: string
  readonly instanceId: number
  /** How many sections of this name and instance were before it. */
  readonly occurrence: number
}

interface Body {
  readonly length: number
  readonly delimiter: Delimiter
}

interface PlannedHead extends Named {
  /** Both as distances from the reader's next byte. */
  readonly at: number
  readonly bodyAt: number
}

interface PlannedSection extends PlannedHead {
  readonly length: number
}

export class SectionDelimiter {
  readonly #file: QemuFileReader
  readonly #ahead: LookAhead
  readonly #looks: ItemLooks
  readonly #describe: (json: Uint8Array, offset: number) => SizeOfDevice
  /** Undefined until the first section has ended. */
  hasFooters: boolean | undefined
  /** From another stream, or from this one's description once it was read. */
  sizes: SizeOfDevice | undefined
  /** The offset at which these sections must end, where that is known (a package, a checkpoint). */
  limit: number | undefined
  /** By the offset of the body. */
  readonly #planned = new Map<number, Body>()

  /** `describe` reads the sizes from a description. */
  constructor(
    file: QemuFileReader,
    describe: (json: Uint8Array, offset: number) => SizeOfDevice = sizesOfDevices,
  ) {
    this.#describe = describe
    this.#file = file
    this.#ahead = new LookAhead(file)
    this.#looks = new ItemLooks(file, this.#ahead)
  }

  /** The body that begins at the reader's next byte. Raises truncated, undelimited or too-long. */
  bodyOf(head: Named): Body {
    const ready = this.#planned.get(this.#file.offset) ?? this.#bySize(head)
    if (ready !== undefined) return ready
    if (this.limit === undefined && this.#planned.size === 0) this.#plan(head)
    return this.#planned.get(this.#file.offset) ?? this.#byLooks(head)
  }

  #bySize({ sectionId, idstr, instanceId, occurrence }: Named): Body | undefined {
    const length = this.sizes?.(idstr, instanceId, occurrence)
    if (length === undefined || !this.#ahead.has(length)) return undefined
    const isEnd =
      this.hasFooters === false
        ? this.#looks.isItem(length, this.limit)
        : this.#isFooter(length, sectionId)
    return isEnd ? { length, delimiter: 'description' } : undefined
  }

  #byLooks(head: Named): Body {
    if (this.hasFooters !== false) {
      const length = this.#findFooter(0, head.sectionId)
      if (length >= 0) return { length, delimiter: 'footer' }
    } else {
      const length = this.#findHead(0, head.sectionId)
      if (length >= 0) return { length, delimiter: 'next head' }
      const rest = this.#file.buffered
      if (this.#ahead.byte(rest - 1) === ITEM_EOF)
        return { length: rest - 1, delimiter: 'end of stream' }
    }
    const file = this.#file
    const there = file.offset + file.buffered
    const rule = `the stream ends inside of this section, which begins at byte ${file.offset}`
    throw new QemuStreamError('truncated', there, head.idstr, rule)
  }

  /** Looks through all sections up to the description, and checks them against it. */
  #plan(first: Named): void {
    const base = this.#file.offset
    const byFooters: PlannedSection[] = []
    const isWhole = this.hasFooters !== false && this.#splitByFooters(first, byFooters)
    const last = byFooters.at(-1)
    const eof = isWhole && last !== undefined ? this.#behind(last) : this.#findDescription(0)
    const sizes = eof < 0 ? undefined : this.#sizesAt(eof)
    if (sizes === undefined) {
      for (const { bodyAt, length } of byFooters) {
        this.#planned.set(base + bodyAt, { length, delimiter: 'footer' })
      }
      return
    }
    const isSized = ({ idstr, instanceId, occurrence, length }: PlannedSection) =>
      sizes(idstr, instanceId, occurrence) === length
    const bySizes =
      isWhole && byFooters.every((span) => isSized(span))
        ? byFooters
        : this.#splitBySizes(first, sizes, eof)
    for (const span of bySizes ?? byFooters) {
      const delimiter = isSized(span) ? 'description' : 'footer'
      this.#planned.set(base + span.bodyAt, { length: span.length, delimiter })
    }
  }

  #behind({ bodyAt, length }: PlannedSection): number {
    return this.#skipCommands(bodyAt + length + FOOTER_BYTES)
  }

  /** False if there is a section whose footer is nowhere: an earlier one was no footer, perhaps. */
  #splitByFooters(first: Named, found: PlannedSection[]): boolean {
    const seen = new Occurrences()
    seen.next(first.idstr, first.instanceId)
    let head: PlannedHead | undefined = { ...first, at: -1, bodyAt: 0 }
    while (head !== undefined) {
      const end = this.#findFooter(head.bodyAt, head.sectionId)
      if (end < 0) return false
      const span: PlannedSection = { ...head, length: end - head.bodyAt }
      found.push(span)
      head = this.#headAt(this.#behind(span), seen)
    }
    return true
  }

  /** Undefined unless all sizes lead exactly from one section to the next, and to the end at `eof`. */
  #splitBySizes(first: Named, sizes: SizeOfDevice, eof: number): PlannedSection[] | undefined {
    const found: PlannedSection[] = []
    const footerBytes = this.hasFooters === false ? 0 : FOOTER_BYTES
    const seen = new Occurrences()
    seen.next(first.idstr, first.instanceId)
    let head: PlannedHead | undefined = { ...first, at: -1, bodyAt: 0 }
    for (;;) {
      const length =
        head === undefined ? undefined : sizes(head.idstr, head.instanceId, head.occurrence)
      if (head === undefined || length === undefined) return undefined
      const end: number = head.bodyAt + length
      if (footerBytes > 0 && !this.#isFooter(end, head.sectionId)) return undefined
      found.push({ ...head, length })
      const next = this.#skipCommands(end + footerBytes)
      if (next === eof) return found
      if (next > eof) return undefined
      head = this.#headAt(next, seen)
    }
  }

  #skipCommands(from: number): number {
    let at = from
    while (this.#ahead.byte(at) === ITEM_COMMAND && this.#looks.isCommand(at))
      at += 5 + this.#ahead.u16(at + 3)
    return at
  }

  #headAt(at: number, seen: Occurrences): PlannedHead | undefined {
    if (this.#ahead.byte(at) !== SECTION_FULL || !this.#looks.isHead(at)) return undefined
    const nameAt = at + 6
    const nameBytes = this.#ahead.byte(at + 5)
    let idstr = ''
    for (let i = 0; i < nameBytes; i++) idstr += String.fromCharCode(this.#ahead.byte(nameAt + i))
    const behind = nameAt + nameBytes
    const bodyAt = behind + 8
    const instanceId = this.#ahead.u32(behind)
    const sectionId = this.#ahead.u32(at + 1)
    return { at, bodyAt, sectionId, idstr, instanceId, occurrence: seen.next(idstr, instanceId) }
  }

  /** The sizes of the description whose EOF byte is at `eof`, if there is one. */
  #sizesAt(eof: number): SizeOfDevice | undefined {
    if (!this.#looks.isDescription(eof)) return undefined
    const length = this.#ahead.u32(eof + 2)
    const json = eof + 6
    if (length > LOOK_AHEAD_BYTES_MAX || !this.#ahead.has(json + length)) return undefined
    const start = this.#file.placeOf(this.#file.offset + json)
    const bytes = this.#file.buffer.subarray(start, start + length)
    try {
      return this.#describe(bytes, this.#file.offset + json)
    } catch {
      return undefined
    }
  }

  /** Of its EOF byte, or -1. */
  #findDescription(from: number): number {
    for (
      let at = this.#ahead.find(ITEM_DESCRIPTION, from + 1);
      at >= 0;
      at = this.#ahead.find(ITEM_DESCRIPTION, at + 1)
    ) {
      if (this.#ahead.byte(at - 1) === ITEM_EOF && this.#sizesAt(at - 1) !== undefined)
        return at - 1
    }
    return -1
  }

  #findFooter(from: number, sectionId: number): number {
    for (
      let at = this.#ahead.find(ITEM_FOOTER, from);
      at >= 0;
      at = this.#ahead.find(ITEM_FOOTER, at + 1)
    ) {
      if (this.#isFooter(at, sectionId)) return at
    }
    return -1
  }

  #findHead(from: number, sectionId: number): number {
    for (
      let at = this.#ahead.find(SECTION_FULL, from);
      at >= 0;
      at = this.#ahead.find(SECTION_FULL, at + 1)
    ) {
      const ahead = this.#ahead.u32(at + 1) - sectionId
      if (ahead > 0 && ahead <= NUMBERS_SKIPPED_MAX && this.#looks.isHead(at)) return at
    }
    return -1
  }

  #isFooter(at: number, sectionId: number): boolean {
    if (this.#ahead.byte(at) !== ITEM_FOOTER || this.#ahead.u32(at + 1) !== sectionId) return false
    return this.#looks.isItem(at + FOOTER_BYTES, this.limit)
  }
}
