// The page channels of a stream as files: those named, or those found beside it, read in step with it. Whether all
// of them are there is told by their greetings and by the numbers of their packets.

import { existsSync } from 'node:fs'
import type { MigrationSink, RamBlock } from '../../formats/qemu/stream/migration-sink.ts'
import type { MultifdChannel, MultifdMethod } from '../../formats/qemu/stream/multifd.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { FdSource } from '../input/fd-source.ts'

const CHANNELS_MAX = 255
const CHANNEL_BUFFER_BYTES = 256 * 1024
const ITEM = 'page channels of multifd'

type ChannelOpener = (source: FdSource, pageBytes: number) => MultifdChannel

export interface ChannelRow {
  readonly channel: number
  readonly packets: number
  readonly pages: number
  /** How its pages are packed; null if it has none. */
  readonly method: MultifdMethod | null
  /** Of its pages as they lie in the channel. */
  readonly bytes: number
}

/** Those given, or the files FILE.ch1, FILE.ch2 ... that there are. */
function pathsOf(path: string, given: readonly string[] | undefined): readonly string[] {
  if (given !== undefined || path === '-') return given ?? []
  const found: string[] = []
  for (let i = 0; i <= CHANNELS_MAX; i++) {
    if (existsSync(`${path}.ch${i}`)) found.push(`${path}.ch${i}`)
  }
  return found
}

/** What reads page channels is loaded when there are some. */
async function openerFor(sink: MigrationSink): Promise<ChannelOpener> {
  const [{ MultifdChannel: Channel }, { ZlibChannel }, { ZstdChannel }] = await Promise.all([
    import('../../formats/qemu/stream/multifd.ts'),
    import('./zlib-pages.ts'),
    import('./zstd-pages.ts'),
  ])
  const unpackers = { zlib: () => new ZlibChannel(), zstd: () => new ZstdChannel() }
  return (source, pageBytes) => {
    const file = new QemuFileReader(source, CHANNEL_BUFFER_BYTES)
    return new Channel(file, sink, unpackers, pageBytes)
  }
}

export class PageChannels {
  readonly #sources: readonly FdSource[]
  readonly #open: ChannelOpener | undefined
  #channels: readonly MultifdChannel[] = []

  private constructor(sources: readonly FdSource[], open: ChannelOpener | undefined) {
    this.#sources = sources
    this.#open = open
  }

  /** Raises CliError for files that cannot be read. */
  static async of(
    path: string,
    given: readonly string[] | undefined,
    sink: MigrationSink,
  ): Promise<PageChannels> {
    const sources = pathsOf(path, given).map((one) => new FdSource(one))
    return new PageChannels(sources, sources.length > 0 ? await openerFor(sink) : undefined)
  }

  /** How many there are. */
  get count(): number {
    return this.#sources.length
  }

  get hasPages(): boolean {
    return this.#channels.some(({ pages }) => pages > 0)
  }

  get rows(): ChannelRow[] {
    return this.#channels
      .map(({ id, packets, pages, method = null, packedBytes }) => {
        return { channel: id, packets, pages, method, bytes: packedBytes }
      })
      .toSorted((one, other) => one.channel - other.channel)
  }

  /** Reads each channel up to its next sync. Raises QemuStreamError. */
  sync(blocks: readonly RamBlock[], pageBytes: number): void {
    const open = this.#open
    if (open === undefined) return
    if (this.#channels.length === 0) {
      this.#channels = this.#sources.map((one) => open(one, pageBytes))
      this.#checkNumbers()
    }
    for (const channel of this.#channels) channel.readToSync(blocks)
  }

  /**
   * Raises truncated if the channels have fewer packets than were sent: some other channel has them. Raises bad-ram
   * if they are packed differently, which those of one migration never are.
   */
  finish(offset: number): void {
    const channels = this.#channels
    for (const channel of channels) channel.readRest()
    const methods = new Set(channels.flatMap(({ method }) => method ?? []))
    if (methods.size > 1) {
      const rule = `packed by ${[...methods].join(' and ')}: they are of different migrations`
      throw new QemuStreamError('bad-ram', offset, ITEM, rule)
    }
    const there = channels.reduce((sum, { packets }) => sum + packets, 0)
    const owed = channels.filter(({ owesEcho }) => owesEcho).length
    const sent = 1 + Math.max(-1, ...channels.map(({ highestNumber }) => highestNumber))
    if (there + owed >= sent) return
    const rule = `${there} of ${sent} packets are there: name all channels, --channel for each`
    throw new QemuStreamError('truncated', offset, ITEM, rule)
  }

  close(): void {
    for (const one of this.#sources) one.close()
  }

  /** No channel twice, and none missing below the highest. */
  #checkNumbers(): void {
    const numbers = this.#channels.map(({ id }) => id).toSorted((one, other) => one - other)
    const wrong = numbers.findIndex((number, index) => number !== index)
    if (wrong < 0) return
    const isTwice = numbers[wrong] < wrong
    const rule = isTwice
      ? `channel ${numbers[wrong]} is there twice: name each once`
      : `channel ${wrong} is missing: name all channels, --channel for each`
    throw new QemuStreamError('truncated', 0, ITEM, rule)
  }
}
