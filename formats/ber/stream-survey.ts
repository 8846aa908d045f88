// What must be known of a stream before it is written as BER, from a walk of its own: its description, which
// stands behind the devices that it describes; and how far it is whole. A COLO session has no last word, it ends
// where the primary died, and that is mostly inside of a checkpoint. So a session that is cut off is one up to
// the last thing that is whole in it; a first migration that is cut off is broken.

import { COMMAND_ENABLE_COLO, COMMAND_PACKAGED } from '../qemu/stream/commands.ts'
import {
  SilentSink,
  type Configuration,
  type StreamCommand,
} from '../qemu/stream/migration-sink.ts'
import type { ByteSource } from '../qemu/file/qemu-file.ts'
import { QemuStreamError } from '../qemu/file/qemu-stream-error.ts'
import { PAGE_BYTES_DEFAULT } from '../qemu/stream/ram-section.ts'
import type { VmDescription } from '../qemu/description/vmdesc.ts'
import { readDescription } from './described-devices.ts'

const MESSAGE_BYTES = 4
/** Of the item that a description is: its type and its length. */
const DESCRIPTION_HEAD_BYTES = 5
const REST_BYTES = 64 * 1024

/** Where a session is cut off. */
export interface Cut {
  /** What is whole ahead of it. */
  readonly wholeBytes: number
  readonly error: QemuStreamError
}

export class StreamSurvey extends SilentSink {
  /** The description, or why there is none. */
  described: VmDescription | string = 'the stream has no description'
  cut: Cut | undefined
  #isColo = false
  /** In a device state or a package: an end of items is not the end of what it is in. */
  #isInPart = false
  #wholeBytes: number | undefined
  #descriptionOffset = 0
  #configuration: Configuration | undefined

  /** Walks, and takes the end of a session as it comes. Raises QemuStreamError for all that is wrong. */
  survey(walk: () => void): void {
    try {
      walk()
    } catch (error) {
      const wholeBytes = this.#wholeBytes
      const isCut = error instanceof QemuStreamError && error.code === 'truncated'
      if (!isCut || wholeBytes === undefined) throw error
      this.cut = { wholeBytes, error }
    }
  }

  override configuration(configuration: Configuration): void {
    this.#configuration = configuration
  }

  override command({ id }: StreamCommand): void {
    this.#isColo ||= id === COMMAND_ENABLE_COLO
    this.#isInPart ||= id === COMMAND_PACKAGED
  }

  override packageEnds(): void {
    this.#isInPart = false
  }

  override description(offset: number, json: Uint8Array): void {
    this.described = readDescription(json, offset)
    this.#descriptionOffset = offset
    if (this.#isColo) this.#wholeBytes = offset + DESCRIPTION_HEAD_BYTES + json.length
  }

  override coloMessage(offset: number, _code: number, size: number | undefined): void {
    this.#isInPart = size !== undefined
    this.#wholeBytes = offset + (this.#isInPart ? 0 : MESSAGE_BYTES)
  }

  override endOfItems(offset: number): void {
    if (this.#wholeBytes !== undefined && !this.#isInPart) this.#wholeBytes = offset + 1
  }

  override deviceStateEnds(offset: number): void {
    this.#isInPart = false
    this.#wholeBytes = offset
  }

  /** Whether the way back would know the pages that were read. Raises bad-value. */
  judgePages(pageBytes: number): void {
    const { described } = this
    if (this.#configuration?.pageBytes !== undefined) return
    const told = typeof described === 'string' ? pageBytes : described.page_size
    const due = this.#configuration === undefined ? PAGE_BYTES_DEFAULT : pageBytes
    if (told === due) return
    const rule = `pages of ${told} bytes, where those of the stream have ${due}`
    throw new QemuStreamError('bad-value', this.#descriptionOffset, 'description', rule)
  }
}

/** The first bytes of a source; the others can be had behind them. */
export class Portion implements ByteSource {
  readonly #source: ByteSource
  #left: number

  constructor(source: ByteSource, bytes: number) {
    this.#source = source
    this.#left = bytes
  }

  read(into: Uint8Array): number {
    const got = this.#source.read(into.subarray(0, this.#left))
    this.#left -= got
    return got
  }

  /** What is behind the portion, once that was read to its end. */
  rest(take: (bytes: Uint8Array) => void): void {
    const buffer = new Uint8Array(REST_BYTES)
    for (let got = this.#source.read(buffer); got > 0; got = this.#source.read(buffer)) {
      take(buffer.subarray(0, got))
    }
  }
}
