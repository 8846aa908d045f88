// A session's streams as they went over the wire, after the token line: NAME.forward and NAME.back, written by
// the side that was the primary. Bytes are copied when they pass and written when the disk takes them; a disk
// that falls too far behind, or a file that cannot be written, ends the recording and never delays a checkpoint.
// A recording holds the guest's memory: only its owner may read it.

import {
  close,
  createWriteStream,
  fchmod,
  mkdir,
  open,
  write,
  writev,
  type WriteStream,
} from 'node:fs'
import { join } from 'node:path'
import type { WireTap } from '../network/data-channel.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import { describeFileError } from '../terminal/file-reasons.ts'

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

type Opened = (error: NodeJS.ErrnoException | null, fd: number) => void

export interface RecordingEvents {
  /** The files are open. */
  began(): void
  /** It ended before its session did. */
  failed(why: string): void
}

export class Recording implements WireTap {
  readonly #folder: string
  readonly #name: () => string
  readonly #events: RecordingEvents
  #streams: { readonly forward: WriteStream; readonly back: WriteStream } | undefined
  #over = false
  #failed = false

  /** `name` tells the session apart, asked at its first byte. */
  constructor(folder: string, name: () => string, events: RecordingEvents) {
    this.#folder = folder
    this.#name = name
    this.#events = events
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
    const file = join(this.#folder, this.#name())
    const forward = this.#stream(`${file}.forward`)
    const back = this.#stream(`${file}.back`)
    this.#streams = { forward, back }
    let opened = 0
    for (const stream of [forward, back]) {
      stream.once('open', () => {
        if (++opened === 2 && !this.#failed) this.#events.began()
      })
    }
    return this.#streams
  }

  #stream(path: string): WriteStream {
    const fs = { open: this.#openFile, write, writev, close }
    const stream = createWriteStream(path, { mode: FILE_MODE, fs })
    return stream.on('error', (error) => this.#end(describeFileError(path, error, 'write')))
  }

  /** Makes the folder first. A file that was there already may have another mode. */
  readonly #openFile = (path: string, flags: string, mode: number, opened: Opened): void => {
    mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE }, (folderError) => {
      if (folderError) return opened(folderError, -1)
      return open(path, flags, mode, (error, fd) => {
        if (error) return opened(error, -1)
        return fchmod(fd, FILE_MODE, (modeError) => {
          if (modeError === null) return opened(null, fd)
          return close(fd, () => opened(modeError, -1))
        })
      })
    })
  }

  #write(stream: WriteStream, bytes: Uint8Array): void {
    stream.write(Uint8Array.from(bytes))
    if (stream.writableLength > LIMITS.recordingBytesMax) {
      this.#end(`${String(stream.path)}: the disk is ${LIMITS.recordingBytesMax} bytes behind`)
    }
  }

  #end(why: string): void {
    if (this.#failed) return
    this.#failed = true
    this.#over = true
    // What waits for the disk is dropped with the streams.
    this.#streams?.forward.destroy()
    this.#streams?.back.destroy()
    this.#events.failed(why)
  }
}
