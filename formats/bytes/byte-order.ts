// Integers in bytes. Reading goes byte by byte, so that neither alignment nor a DataView a chunk is
// needed, and so that memory shared between threads may be read as it lies.

/** The next multiple of 8; exact for every 32-bit length, since it is done in doubles. */
export function roundUp8(length: number): number {
  return Math.ceil(length / 8) * 8
}

export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8)
}

export function readU32(bytes: Uint8Array, at: number): number {
  const low = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)
  return (low | (bytes[at + 3] << 24)) >>> 0
}

export function readU64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readU32(bytes, at + 4)) << 32n) | BigInt(readU32(bytes, at))
}

export function readU16BigEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1]
}

export function readU32BigEndian(bytes: Uint8Array, at: number): number {
  const high = (bytes[at] << 24) | (bytes[at + 1] << 16)
  return (high | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
