// Counts what one side gives to the data channel of a session and takes from it, so that heartbeats can say.

import type { DataChannel, DataChannelHandlers } from '../ports.ts'

export class CountedChannel implements DataChannel {
  readonly #channel: DataChannel
  sentBytes = 0
  takenBytes = 0

  constructor(channel: DataChannel) {
    this.#channel = channel
  }

  write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.sentBytes += chunk.length
    this.#channel.write(chunks)
  }

  close(): void {
    this.#channel.close()
  }

  /** What the channel calls, so that what it receives is counted. */
  counting(handlers: DataChannelHandlers): DataChannelHandlers {
    return {
      buffer: () => handlers.buffer(),
      received: (count) => {
        this.takenBytes += count
        handlers.received(count)
      },
      taken: () => handlers.taken(),
      closed: () => handlers.closed(),
    }
  }
}
