// A session's streams as they went over the wire, after the token line: NAME.forward and NAME.back, written by
// the side that was the primary. Bytes are copied when they pass and written when the disk takes them; a disk
// that falls too far behind ends the recording, never delays a checkpoint.

import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import type { WireTap } from '../shared/channel/data-channel.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

export class Recording implements WireTap {
  readonly #folder: string
  readonly #name: () => string
  readonly #problem: (why: string) => void
  #streams: { readonly forward: WriteStream; readonly back: WriteStream } | undefined
  #over = false

  /** `name` tells the session apart, asked at its first byte. `problem` hears why a recording ended early. */
  constructor(folder: string, name: () => string, problem: (why: string) => void) {
    this.#folder = folder
    this.#name = name
    this.#problem = problem
  }

  sent(bytes: Uint8Array): void {
    if (!this.#over) this.#write(this.#open().forward, bytes)
  }

  received(bytes: Uint8Array): void {
    if (!this.#over) this.#write(this.#open().back, bytes)
  }

  closed(): void {
    if (this.#over) return
    this.#over = true
    this.#streams?.forward.end()
    this.#streams?.back.end()
  }

  #open(): { readonly forward: WriteStream; readonly back: WriteStream } {
    if (this.#streams) return this.#streams
    mkdirSync(this.#folder, { recursive: true })
    const file = join(this.#folder, this.#name())
    const [forward, back] = [
      createWriteStream(`${file}.forward`),
      createWriteStream(`${file}.back`),
    ]
    for (const stream of [forward, back]) stream.on('error', (error) => this.#end(error.message))
    this.#streams = { forward, back }
    return this.#streams
  }

  #write(stream: WriteStream, bytes: Uint8Array): void {
    stream.write(Uint8Array.from(bytes))
    if (stream.writableLength > LIMITS.recordingBytesMax) {
      this.#end(`the disk is ${LIMITS.recordingBytesMax} bytes behind`)
    }
  }

  #end(why: string): void {
    if (this.#over) return
    this.#problem(why)
    this.closed()
  }
}
