// zstd for the page channels of multifd: one frame a channel, flushed behind each packet and never ended.

import type { ChannelUnpacker, UnpackFault } from '../../formats/qemu/stream/multifd.ts'
import { ZstdError } from '../../formats/zstd/zstd-error.ts'
import { ZstdStream } from '../../formats/zstd/zstd-stream.ts'

export class ZstdChannel implements ChannelUnpacker {
  readonly #stream = new ZstdStream()

  unpack(packed: Uint8Array, length: number): Uint8Array | UnpackFault {
    try {
      return this.#stream.decode(packed, length)
    } catch (error) {
      if (!(error instanceof ZstdError)) throw error
      return { at: error.offset, rule: error.rule }
    }
  }
}
