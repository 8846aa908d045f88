// Records of a stream for which the module has no type, as the bytes that they were: what the walk says of them is
// written down again, into a string of the BER file, chunk by chunk.

import { MigrationWriter } from '../qemu/stream/migration-writer.ts'
import { QemuFileWriter } from '../qemu/file/qemu-file.ts'
import { OCTET_STRING, type Tag } from './ber-tag.ts'
import type { BerWriter } from './ber-writer.ts'

export class RecordString {
  readonly #ber: BerWriter
  readonly #file: QemuFileWriter
  /** Whoever walks says it all to this. */
  readonly writer: MigrationWriter
  #tag: Tag = OCTET_STRING
  #isOpen = false
  #isMuted = false
  #bytes = 0

  constructor(ber: BerWriter) {
    this.#ber = ber
    this.#file = new QemuFileWriter({ write: (bytes) => this.#write(bytes) })
    this.writer = new MigrationWriter(this.#file)
  }

  /** Tells the writer how large the target's pages are: it knows that only from a configuration. */
  configure(pageBytes: number): void {
    this.#isMuted = true
    const nothing = { offset: 0, machine: '', subsections: [], capabilities: [] }
    this.writer.configuration({ ...nothing, pageBytes })
    this.#file.flush()
    this.#isMuted = false
  }

  /** From here on what is said goes into a string of this tag. It is there only if something is said. */
  begin(tag: Tag): void {
    this.#tag = tag
    this.#bytes = 0
  }

  /** Bytes that no record was made of. */
  raw(bytes: Uint8Array): void {
    this.#file.bytes(bytes)
  }

  /** Ends the string, and returns how many bytes went into it. */
  end(): number {
    this.#file.flush()
    if (this.#isOpen) this.#ber.close()
    this.#isOpen = false
    return this.#bytes
  }

  #write(bytes: Uint8Array): void {
    if (this.#isMuted) return
    if (!this.#isOpen) this.#ber.openString(this.#tag)
    this.#isOpen = true
    this.#ber.chunk(bytes)
    this.#bytes += bytes.length
  }
}
