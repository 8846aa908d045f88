// zlib for pages: one stream a page in the main stream, one stream a channel in multifd. The latter is cut into
// packets at bytes' borders; what a packet refers back to is given to the next as its dictionary, so that no
// decoder lives between packets.

import { constants, inflateRawSync, inflateSync } from 'node:zlib'
import type { ChannelUnpacker, UnpackFault } from '../../formats/qemu/stream/multifd.ts'

const WINDOW_BYTES = 32 * 1024
const ZLIB_HEADER_BYTES = 2
const TOO_LONG = 'ERR_BUFFER_TOO_LARGE'

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

export class ZlibChannel implements ChannelUnpacker {
  #window: Uint8Array = new Uint8Array(0)
  #hasBegun = false

  unpack(packed: Uint8Array, length: number): Uint8Array | UnpackFault {
    if (!this.#hasBegun && !isZlibHead(packed)) return { at: 0, rule: 'no stream begins here' }
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
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const isLong = 'code' in error && error.code === TOO_LONG
      return { at: 0, rule: isLong ? 'it holds more than is due' : error.message }
    }
  }
}

/** The two bytes say deflate and a window, and are a multiple of 31; no dictionary is asked for. */
function isZlibHead(bytes: Uint8Array): boolean {
  if (bytes.length < ZLIB_HEADER_BYTES) return false
  const [method, flags] = bytes
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0 && (flags & 0x20) === 0
}
