// The blob of EMULATOR_CONTEXT as the pair writes it: a header that places the checkpoint (the wire
// has no epoch of its own), then the device state of the guest, opaque here. All little-endian.
//
//   u32 version (1), u32 reserved (0), u64 generation, u64 epoch, device state ...

import { viewOf } from './byte-order.ts'
import { EMULATOR_ID, LIBXL } from './libxl-records.ts'
import { recordBytes, writeRecordHeader } from './page-data.ts'

const VERSION = 1
const HEADER_BYTES = 24
/** emulator_id and index, ahead of the blob. */
const EMULATOR_HEADER_BYTES = 8

export interface EmulatorBlob {
  readonly generation: number
  readonly epoch: number
  readonly device: Uint8Array
}

/** A whole EMULATOR_CONTEXT record around such a blob. */
export function encodeEmulatorContext(blob: EmulatorBlob): Uint8Array {
  const length = EMULATOR_HEADER_BYTES + HEADER_BYTES + blob.device.length
  const bytes = new Uint8Array(recordBytes(length))
  const view = viewOf(bytes)
  const body = writeRecordHeader(view, 0, LIBXL.EMULATOR_CONTEXT.type, length)
  view.setUint32(body, EMULATOR_ID.UNKNOWN, true)
  const at = body + EMULATOR_HEADER_BYTES
  view.setUint32(at, VERSION, true)
  writeU64(view, at + 8, blob.generation)
  writeU64(view, at + 16, blob.epoch)
  bytes.set(blob.device, at + HEADER_BYTES)
  return bytes
}

function writeU64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  view.setUint32(at, value - high * 0x1_0000_0000, true)
  view.setUint32(at + 4, high, true)
}

/** What is wrong with it as text, or the blob; `device` is a copy. */
export function decodeEmulatorBlob(bytes: Uint8Array): EmulatorBlob | string {
  if (bytes.length < HEADER_BYTES) return `blob of ${bytes.length} bytes, at least ${HEADER_BYTES}`
  const view = viewOf(bytes)
  const version = view.getUint32(0, true)
  if (version !== VERSION) return `blob version ${version}, expected ${VERSION}`
  const generation = Number(view.getBigUint64(8, true))
  const epoch = Number(view.getBigUint64(16, true))
  if (!Number.isSafeInteger(generation) || !Number.isSafeInteger(epoch)) {
    return 'generation or epoch beyond 2^53'
  }
  return { generation, epoch, device: bytes.slice(HEADER_BYTES) }
}
