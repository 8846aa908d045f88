// The blob of EMULATOR_CONTEXT as the pair writes it: a header that places the checkpoint (the wire has no epoch
// of its own) and carries its digest, then the device state of the guest, opaque here. All little-endian.
//
//   u32 version (2), u32 reserved (0), u64 generation, u64 epoch, u32 digest[2], device state ...
//
// Version 1, of peers whose protocol is 1.0, has no digest.

import { readU32, viewOf } from '../../formats/bytes/byte-order.ts'
import { EMULATOR_ID, LIBXL } from '../../formats/xen/libxl-records.ts'
import { RECORD_HEADER_BYTES, recordBytes, writeRecordHeader } from '../../formats/xen/page-data.ts'

export type BlobVersion = 1 | 2

/** Of the body, whose first words are emulator_id and index. */
const BLOB_AT = 8
/** Where in the body the digest lies. */
const DIGEST_AT = BLOB_AT + 24
const DIGEST_BYTES = 8

/** Of a whole checkpoint: two halves of 32 bits. */
export interface Digest {
  readonly low: number
  readonly high: number
}

/** What takes the bytes that the digest is of. */
export interface Digester {
  record(type: number, body: Uint8Array, from: number, to: number): void
}

export interface EmulatorBlob {
  readonly generation: number
  readonly epoch: number
  /** None in version 1. */
  readonly digest?: Digest
  readonly device: Uint8Array
}

/** The version that a peer whose protocol has this minor version reads and writes. */
export function blobVersionOf(protocolMinor: number): BlobVersion {
  return protocolMinor >= 1 ? 2 : 1
}

/** A whole EMULATOR_CONTEXT record around such a blob, in version 2 if it has a digest. */
export function encodeEmulatorContext(blob: EmulatorBlob): Uint8Array {
  const deviceAt = blob.digest === undefined ? DIGEST_AT : DIGEST_AT + DIGEST_BYTES
  const length = deviceAt + blob.device.length
  const bytes = new Uint8Array(recordBytes(length))
  const view = viewOf(bytes)
  const body = writeRecordHeader(view, 0, LIBXL.EMULATOR_CONTEXT.type, length)
  view.setUint32(body, EMULATOR_ID.UNKNOWN, true)
  const at = body + BLOB_AT
  view.setUint32(at, blob.digest === undefined ? 1 : 2, true)
  writeU64(view, at + 8, blob.generation)
  writeU64(view, at + 16, blob.epoch)
  if (blob.digest) putDigest(bytes, blob.digest)
  bytes.set(blob.device, body + deviceAt)
  return bytes
}

/** Writes the digest into a whole record of version 2, once it is known. */
export function putDigest(record: Uint8Array, { low, high }: Digest): void {
  const view = viewOf(record)
  view.setUint32(RECORD_HEADER_BYTES + DIGEST_AT, low, true)
  view.setUint32(RECORD_HEADER_BYTES + DIGEST_AT + 4, high, true)
}

/** Gives the digest every byte of the record's body but its own. */
export function digestEmulatorContext(digester: Digester, body: Uint8Array): void {
  const { type } = LIBXL.EMULATOR_CONTEXT
  digester.record(type, body, 0, DIGEST_AT)
  digester.record(type, body, DIGEST_AT + DIGEST_BYTES, body.length)
}

function writeU64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  view.setUint32(at, value - high * 0x1_0000_0000, true)
  view.setUint32(at + 4, high, true)
}

/** A u64, which is no safe integer if it is too large for a number. */
function readNumber(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 4) * 0x1_0000_0000 + readU32(bytes, at)
}

/** What is wrong with the body of an EMULATOR_CONTEXT as text, or its blob; `device` is a copy. */
export function decodeEmulatorContext(
  body: Uint8Array,
  expected: BlobVersion,
): EmulatorBlob | string {
  const deviceAt = expected === 1 ? DIGEST_AT : DIGEST_AT + DIGEST_BYTES
  if (body.length < deviceAt) {
    return `blob of ${body.length - BLOB_AT} bytes, at least ${deviceAt - BLOB_AT}`
  }
  const version = readU32(body, BLOB_AT)
  if (version !== expected) return `blob version ${version}, expected ${expected}`
  const generation = readNumber(body, BLOB_AT + 8)
  const epoch = readNumber(body, BLOB_AT + 16)
  if (!Number.isSafeInteger(generation) || !Number.isSafeInteger(epoch)) {
    return 'generation or epoch beyond 2^53'
  }
  const digest = { low: readU32(body, DIGEST_AT), high: readU32(body, DIGEST_AT + 4) }
  const device = body.slice(deviceAt)
  return expected === 1 ? { generation, epoch, device } : { generation, epoch, digest, device }
}
