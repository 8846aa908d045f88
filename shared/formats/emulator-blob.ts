// The blob of EMULATOR_CONTEXT as the pair writes it: a header that places the checkpoint (the wire has no
// epoch of its own), then the device state of the guest, opaque here. All little-endian.
//
//   u32 version (1), u32 reserved (0), u64 generation, u64 epoch, device state ...

import { viewOf } from './byte-order.ts'

const VERSION = 1
const HEADER_BYTES = 24

export interface EmulatorBlob {
  readonly generation: number
  readonly epoch: number
  readonly device: Uint8Array
}

export function encodeEmulatorBlob(blob: EmulatorBlob): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + blob.device.length)
  const view = viewOf(bytes)
  view.setUint32(0, VERSION, true)
  view.setBigUint64(8, BigInt(blob.generation), true)
  view.setBigUint64(16, BigInt(blob.epoch), true)
  bytes.set(blob.device, HEADER_BYTES)
  return bytes
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
