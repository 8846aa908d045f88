// One walk through a stream named on the command line, page channels beside it included, into a sink. How it ended
// is a result: what was told before an error is worth telling.

import { existsSync } from 'node:fs'
import type { SizeOfDevice } from '../../shared/formats/qemu/description-sizes.ts'
import type { MigrationSink } from '../../shared/formats/qemu/migration-sink.ts'
import type { Ending } from '../../shared/formats/qemu/colo-session.ts'
import { MigrationStream } from '../../shared/formats/qemu/migration-stream.ts'
import type { MultifdChannel } from '../../shared/formats/qemu/multifd.ts'
import { QemuFileReader } from '../../shared/formats/qemu/qemu-file.ts'
import { QemuStreamError } from '../../shared/formats/qemu/qemu-stream-error.ts'
import { CliError } from '../exit-codes.ts'
import { ParsedDescription } from './parsed-description.ts'
import { hintFor } from '../stream-kind.ts'
import type { RereadableInput } from '../rereadable-input.ts'
import { FdSource } from './fd-source.ts'

const CHANNELS_MAX = 255
const CHANNEL_BUFFER_BYTES = 256 * 1024

/** The description behind a stream, and where it lies there. */
export interface FoundDescription {
  readonly json: Uint8Array
  readonly jsonOffset: number
}

export interface WalkSettings {
  readonly pageSize?: number
  readonly channels?: readonly string[]
  readonly sizes?: SizeOfDevice
  /** Of another stream, where one was named; `sizes` are its. */
  readonly other?: FoundDescription
  /** Where the stream is read from if it is read again and again. */
  readonly input?: RereadableInput
  readonly parsed?: ParsedDescription
}

export interface Walked {
  readonly ending: Ending | undefined
  readonly error: QemuStreamError | undefined
  /** Where reading stopped. */
  readonly offset: number
  /** Which verb reads it, if it is no such stream; begins with a semicolon. */
  readonly hint: string
  /** How many page channels were read with it. */
  readonly channels: number
}

/** Those given, or the files FILE.ch1, FILE.ch2 ... up to the first that is not there. */
function channelPaths(path: string, given: readonly string[] | undefined): readonly string[] {
  if (given !== undefined || path === '-') return given ?? []
  const found: string[] = []
  for (let i = 0; i <= CHANNELS_MAX; i++) {
    if (existsSync(`${path}.ch${i}`)) found.push(`${path}.ch${i}`)
    else if (i > 0) break
  }
  return found
}

/** What reads page channels is loaded when there are some. */
async function channelOpener(
  sources: readonly FdSource[],
  sink: MigrationSink,
): Promise<(pageBytes: number) => readonly MultifdChannel[]> {
  const { MultifdChannel: Channel } = await import('../../shared/formats/qemu/multifd.ts')
  const { ZlibChannel } = await import('./zlib-pages.ts')
  return (pageBytes) =>
    sources.map((one) => {
      const file = new QemuFileReader(one, CHANNEL_BUFFER_BYTES)
      return new Channel(file, sink, new ZlibChannel(), pageBytes)
    })
}

/** Raises truncated if the channels have fewer packets than were sent: some other channel has them. */
function checkPackets(channels: readonly MultifdChannel[], offset: number): void {
  const there = channels.reduce((sum, { packets }) => sum + packets, 0)
  const sent = 1 + Math.max(...channels.map(({ highestNumber }) => highestNumber))
  if (there >= sent) return
  const rule = `${there} of ${sent} packets are there: name all channels, --channel for each`
  throw new QemuStreamError('truncated', offset, 'page channels of multifd', rule)
}

/** Raises CliError for files that cannot be read; what is wrong with the stream is in the result. */
export async function walk(
  path: string,
  sink: MigrationSink,
  settings: WalkSettings = {},
): Promise<Walked> {
  const source = settings.input === undefined ? new FdSource(path) : settings.input.open()
  const channelSources = channelPaths(path, settings.channels).map((one) => new FdSource(one))
  const file = new QemuFileReader(source)
  const openChannels = channelSources.length > 0 && (await channelOpener(channelSources, sink))
  let channels: readonly MultifdChannel[] | undefined
  const parsed = settings.parsed ?? new ParsedDescription()
  const stream = new MigrationStream(file, sink, {
    ...(settings.pageSize !== undefined && { pageBytes: settings.pageSize }),
    describe: (json, offset) => parsed.sizes(json, offset),
    ...(settings.sizes && { sizes: settings.sizes }),
    ...(openChannels && {
      ramEnds: (blocks, pageBytes) => {
        channels ??= openChannels(pageBytes)
        for (const channel of channels) channel.readToSync(blocks)
      },
    }),
  })
  const told = { channels: channelSources.length }
  try {
    const ending = stream.read()
    if (channels !== undefined) checkPackets(channels, file.offset)
    return { ...told, ending, error: undefined, hint: '', offset: file.offset }
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    const hint = error.code === 'bad-magic' ? hintFor(source.first, 'decode') : ''
    return { ...told, ending: undefined, error, hint, offset: error.offset }
  } finally {
    source.close()
    for (const one of channelSources) one.close()
  }
}

/** How it ended, as one line. */
export function endingText({ ending, error, offset }: Walked): string {
  if (error !== undefined) return `broken off: ${error.message}`
  if (ending === 'whole') return `whole: ends at byte ${offset}`
  return `whole up to its last checkpoint: the session ends at byte ${offset}, behind a request`
}

/** Raises what was wrong with the stream, as the last thing said. */
export function complain(path: string, { error, hint }: Walked): void {
  if (error === undefined) return
  throw new CliError('broken', `${path}: ${error.message}${hint}`, { cause: error })
}
