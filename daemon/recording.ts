// A session's streams as they went over the wire, after the token line: NAME.forward and NAME.back, written by
// the side that was the primary. Bytes are copied when they pass and written when the disk takes them; a disk
// that falls too far behind ends the recording, never delays a checkpoint.

import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import type { WireTap } from '../shared/channel/data-channel.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

export class Recording implements WireTap {
  readonly #forward: WriteStream
  readonly #back: WriteStream
  readonly #problem: (why: string) => void
  #over = false

  /** `name` tells the session apart. `problem` hears why a recording ended early. */
  constructor(folder: string, name: string, problem: (why: string) => void) {
    mkdirSync(folder, { recursive: true })
    this.#problem = problem
    this.#forward = createWriteStream(join(folder, `${name}.forward`))
    this.#back = createWriteStream(join(folder, `${name}.back`))
    for (const stream of [this.#forward, this.#back]) {
      stream.on('error', (error) => this.#end(error.message))
    }
  }

  sent(bytes: Uint8Array): void {
    this.#write(this.#forward, bytes)
  }

  received(bytes: Uint8Array): void {
    this.#write(this.#back, bytes)
  }

  closed(): void {
    if (this.#over) return
    this.#over = true
    this.#forward.end()
    this.#back.end()
  }

  #write(stream: WriteStream, bytes: Uint8Array): void {
    if (this.#over) return
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
