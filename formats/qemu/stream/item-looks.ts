// Whether an item of a migration stream can begin at a place, by what follows its first byte: for who looks for the end
// of a section that says no length. It cannot be sure: bodies hold anything.

import { COLO_REQUEST, COLO_VMSTATE_SIZE } from './colo-session.ts'
import { faultOfCommand } from './commands.ts'
import type { LookAhead } from './look-ahead.ts'
import { SECTION_END, SECTION_FULL, SECTION_PART, SECTION_START } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { ITEM_COMMAND, ITEM_DESCRIPTION, ITEM_EOF, STREAM_MAGIC } from '../file/stream-items.ts'

const BRACE = 0x7b
const QUOTE = 0x22
const VERSION_MAX = 0xffff
/** So many zeros behind an end are padding: more are not looked at, and not kept. */
const PADDING_BYTES_SEEN = 64 * 1024

/** All places are distances from the reader's next byte. */
export class ItemLooks {
  readonly #file: QemuFileReader
  readonly #ahead: LookAhead

  constructor(file: QemuFileReader, ahead: LookAhead) {
    this.#file = file
    this.#ahead = ahead
  }

  /** `limit` is the offset at which the sections must end, where that is known. */
  isItem(at: number, limit: number | undefined): boolean {
    const offset = this.#file.offset + at
    if (limit !== undefined && offset === limit) return true
    switch (this.#ahead.byte(at)) {
      case -1:
        return true
      case ITEM_EOF:
        return limit === undefined ? this.#isEof(at) : offset === limit - 1
      case SECTION_START:
      case SECTION_FULL:
        return this.isHead(at)
      case SECTION_PART:
      case SECTION_END:
        return this.#ahead.has(at + 5)
      case ITEM_COMMAND:
        return this.isCommand(at)
      default:
        return false
    }
  }

  /** An end is followed by nothing, the description, a message of COLO, padding, or one more stream. */
  #isEof(at: number): boolean {
    if (this.#ahead.byte(at + 1) < 0 || this.isDescription(at)) return true
    const next = this.#ahead.u32(at + 1)
    if (next === COLO_REQUEST || next === COLO_VMSTATE_SIZE || next === STREAM_MAGIC) return true
    if (next !== 0) return false
    let behind = at + 1
    const end = behind + PADDING_BYTES_SEEN
    while (behind < end && this.#ahead.byte(behind) === 0) behind++
    return behind === end || this.#ahead.byte(behind) < 0
  }

  /** Whether the EOF byte here has a description behind it. */
  isDescription(eof: number): boolean {
    if (this.#ahead.byte(eof) !== ITEM_EOF || this.#ahead.byte(eof + 1) !== ITEM_DESCRIPTION)
      return false
    return this.#ahead.byte(eof + 6) === BRACE && this.#ahead.byte(eof + 7) === QUOTE
  }

  isCommand(at: number): boolean {
    return (
      this.#ahead.has(at + 5) &&
      faultOfCommand(this.#ahead.u16(at + 1), this.#ahead.u16(at + 3)) === undefined
    )
  }

  isHead(at: number): boolean {
    const nameBytes = this.#ahead.byte(at + 5)
    const behind = at + 6 + nameBytes
    if (nameBytes < 2 || !this.#ahead.has(behind + 8)) return false
    for (let i = at + 6; i < behind; i++) {
      const byte = this.#ahead.byte(i)
      if (byte < 0x20 || byte > 0x7e) return false
    }
    return this.#ahead.u32(behind + 4) <= VERSION_MAX
  }
}
