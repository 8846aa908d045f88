// One walk through a stream named on the command line, page channels beside it included, into a sink. How it ended
// is a result: what was told before an error is worth telling.

import type { SizeOfDevice } from '../../formats/qemu/description/description-sizes.ts'
import type { MigrationSink } from '../../formats/qemu/stream/migration-sink.ts'
import type { Ending } from '../../formats/qemu/stream/colo-session.ts'
import { MigrationStream } from '../../formats/qemu/stream/migration-stream.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { CliError } from '../../terminal/exit-codes.ts'
import { ParsedDescription } from './parsed-description.ts'
import { hintFor } from '../input/stream-kind.ts'
import type { RereadableInput } from '../input/rereadable-input.ts'
import { FdSource } from '../input/fd-source.ts'
import { PageChannels, type ChannelRow } from './page-channels.ts'

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
  readonly channelRows: readonly ChannelRow[]
  /** That pages of the guest were not there to be read: the stream is whole all the same. */
  readonly missing: QemuStreamError | undefined
}

/** Raises CliError for files that cannot be read; what is wrong with the stream is in the result. */
export async function walk(
  path: string,
  sink: MigrationSink,
  settings: WalkSettings = {},
): Promise<Walked> {
  const source = settings.input === undefined ? new FdSource(path) : settings.input.open()
  const channels = await PageChannels.of(path, settings.channels, sink)
  const file = new QemuFileReader(source)
  const parsed = settings.parsed ?? new ParsedDescription()
  const stream = new MigrationStream(file, sink, {
    ...(settings.pageSize !== undefined && { pageBytes: settings.pageSize }),
    describe: (json, offset) => parsed.sizes(json, offset),
    ...(settings.sizes && { sizes: settings.sizes }),
    syncs: (blocks, pageBytes) => channels.sync(blocks, pageBytes),
  })
  const told = (ending: Ending | undefined, error: QemuStreamError | undefined) => {
    const { count, rows: channelRows } = channels
    const isShort = error === undefined && stream.isBesideChannels && !channels.hasPages
    const missing = isShort ? missingPages(file.offset, count) : undefined
    return { channels: count, channelRows, ending, error, missing }
  }
  try {
    const ending = stream.read()
    channels.finish(file.offset)
    return { ...told(ending, undefined), hint: '', offset: file.offset }
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    const hint = error.code === 'bad-magic' ? hintFor(source.first, 'decode') : ''
    return { ...told(undefined, error), hint, offset: error.offset }
  } finally {
    source.close()
    channels.close()
  }
}

function missingPages(offset: number, channels: number): QemuStreamError {
  const where =
    channels === 0 ? 'name its page channels, --channel for each' : 'its page channels have none'
  const rule = `pages that are not zero are missing, they went through multifd: ${where}`
  return new QemuStreamError('truncated', offset, 'ram', rule)
}

/** How it ended, as one line. */
export function endingText({
  ending,
  error,
  missing,
  offset,
}: Pick<Walked, 'ending' | 'error' | 'missing' | 'offset'>): string {
  if (error !== undefined) return `broken off: ${error.message}`
  if (missing !== undefined) return `ends at byte ${offset}, but ${missing.rule}`
  if (ending === 'whole') return `whole: ends at byte ${offset}`
  return `whole up to its last checkpoint: the session ends at byte ${offset}, behind a request`
}

/** Raises what was wrong with the stream, as the last thing said. */
export function complain(path: string, { error, hint }: Pick<Walked, 'error' | 'hint'>): void {
  if (error === undefined) return
  throw new CliError('broken', `${path}: ${error.message}${hint}`, { cause: error })
}
