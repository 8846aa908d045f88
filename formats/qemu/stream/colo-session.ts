// What follows the first migration on the forward wire of a COLO session: for each checkpoint two messages, the
// pages that changed as one end of section ram, then the whole device state with its size. There is no header and
// no description in it. The session has no last word: it ends where the primary dies or stops.

import { LOOK_AHEAD_BYTES_MAX } from './look-ahead.ts'
import type { MigrationSink } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'

/** What the primary says; the secondary's words go the other way and are in no stream. */
export const COLO_REQUEST = 1
export const COLO_VMSTATE_SEND = 3
export const COLO_VMSTATE_SIZE = 4

/** What stood where the stream ended: a request that nobody answered, or nothing unfinished. */
export type Ending = 'whole' | 'between checkpoints'

/** Reads to the end of the source. `readItems` reads items up to and with their EOF, within `bounds.limit`. */
export function readColoSession(
  file: QemuFileReader,
  sink: MigrationSink,
  bounds: { limit: number | undefined },
  readItems: () => void,
): Ending {
  while (!file.atEnd) {
    readMessage(file, sink, COLO_REQUEST)
    if (file.atEnd) return 'between checkpoints'
    readMessage(file, sink, COLO_VMSTATE_SEND)
    readItems()
    const end = readMessage(file, sink, COLO_VMSTATE_SIZE) + file.offset
    bounds.limit = end
    readItems()
    bounds.limit = undefined
    if (file.offset !== end) {
      const rule = `the device state should end at byte ${end} by its size`
      throw new QemuStreamError('bad-value', file.offset, 'device state', rule)
    }
    sink.deviceStateEnds(end)
  }
  return 'whole'
}

/** The size that the message has behind it, if any. */
function readMessage(file: QemuFileReader, sink: MigrationSink, due: number): number {
  file.item = 'COLO message'
  const { offset } = file
  const refuse = (code: 'unknown-item' | 'too-long', rule: string): never => {
    throw new QemuStreamError(code, offset, file.item, rule)
  }
  const code = file.u32()
  if (code !== due) refuse('unknown-item', `message ${code} where ${due} is due`)
  const size = code === COLO_VMSTATE_SIZE ? file.u64() : undefined
  if (size !== undefined && size > BigInt(LOOK_AHEAD_BYTES_MAX)) {
    refuse('too-long', `a device state of ${size} bytes, where ${LOOK_AHEAD_BYTES_MAX} are read`)
  }
  sink.coloMessage(offset, code, size === undefined ? undefined : Number(size))
  return Number(size ?? 0n)
}
