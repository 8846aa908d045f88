// zlib for pages: one stream a page in the main stream, one stream a channel in multifd. The latter is cut into
// packets at bytes' borders; what a packet refers back to is given to the next as its dictionary, so that no
// decoder lives between packets.

import { constants, inflateRawSync, inflateSync } from 'node:zlib'
import type { ChannelInflater } from '../../shared/formats/qemu/multifd.ts'

const WINDOW_BYTES = 32 * 1024
const ZLIB_HEADER_BYTES = 2

export function inflatePage(packed: Uint8Array, into: Uint8Array): boolean {
  try {
    const bytes = inflateSync(packed, {
      maxOutputLength: into.length,
      finishFlush: constants.Z_SYNC_FLUSH,
    })
    if (bytes.length !== into.length) return false
    into.set(bytes)
    return true
  } catch {
    return false
  }
}

export class ZlibChannel implements ChannelInflater {
  #window: Uint8Array = new Uint8Array(0)
  #hasBegun = false

  inflate(packed: Uint8Array, length: number): Uint8Array | undefined {
    const data = this.#hasBegun ? packed : packed.subarray(ZLIB_HEADER_BYTES)
    this.#hasBegun = true
    try {
      const bytes = inflateRawSync(data, {
        maxOutputLength: length,
        finishFlush: constants.Z_SYNC_FLUSH,
        ...(this.#window.length > 0 && { dictionary: this.#window }),
      })
      this.#window = new Uint8Array(Buffer.concat([this.#window, bytes]).subarray(-WINDOW_BYTES))
      return bytes
    } catch {
      return undefined
    }
  }
}
