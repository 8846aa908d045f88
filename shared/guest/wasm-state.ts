// The state of a WebAssembly guest that is not RAM, as bytes. CPU state: the size of its memory and its mutable
// globals in the order of their names, each as 64 bits. Device state: what its host knows, the connections that
// are open and two counters. Both carry a version; all little-endian.
//
//   cpu:    u32 version, u32 globals, u64 memory bytes, u64 value ...
//   device: u32 version, u32 connections, u64 inputs, u64 outputs, u32 connection ...

const VERSION = 1
const CPU_HEADER_BYTES = 16
const DEVICE_HEADER_BYTES = 24

export interface WasmCpu {
  readonly memoryBytes: number
  /** Raw bits of each global. */
  readonly globals: readonly bigint[]
}

export interface WasmDevice {
  readonly inputs: number
  readonly outputs: number
  readonly connections: readonly number[]
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export function encodeCpu(cpu: WasmCpu): Uint8Array {
  const bytes = new Uint8Array(CPU_HEADER_BYTES + 8 * cpu.globals.length)
  const data = view(bytes)
  data.setUint32(0, VERSION, true)
  data.setUint32(4, cpu.globals.length, true)
  data.setBigUint64(8, BigInt(cpu.memoryBytes), true)
  cpu.globals.forEach((bits, i) => data.setBigUint64(CPU_HEADER_BYTES + 8 * i, bits, true))
  return bytes
}

/** The state, or what is wrong with the bytes. */
export function decodeCpu(bytes: Uint8Array): WasmCpu | string {
  if (bytes.length < CPU_HEADER_BYTES) return `CPU state of ${bytes.length} bytes`
  const data = view(bytes)
  const version = data.getUint32(0, true)
  const count = data.getUint32(4, true)
  if (version !== VERSION) return `CPU state version ${version}, expected ${VERSION}`
  if (bytes.length !== CPU_HEADER_BYTES + 8 * count) return `CPU state: ${count} globals do not fit`
  const globals: bigint[] = []
  for (let i = 0; i < count; i++) globals.push(data.getBigUint64(CPU_HEADER_BYTES + 8 * i, true))
  return { memoryBytes: Number(data.getBigUint64(8, true)), globals }
}

export function encodeDevice(device: WasmDevice): Uint8Array {
  const bytes = new Uint8Array(DEVICE_HEADER_BYTES + 4 * device.connections.length)
  const data = view(bytes)
  data.setUint32(0, VERSION, true)
  data.setUint32(4, device.connections.length, true)
  data.setBigUint64(8, BigInt(device.inputs), true)
  data.setBigUint64(16, BigInt(device.outputs), true)
  device.connections.forEach((one, i) => data.setUint32(DEVICE_HEADER_BYTES + 4 * i, one, true))
  return bytes
}

/** The state, or what is wrong with the bytes. */
export function decodeDevice(bytes: Uint8Array): WasmDevice | string {
  if (bytes.length < DEVICE_HEADER_BYTES) return `device state of ${bytes.length} bytes`
  const data = view(bytes)
  const version = data.getUint32(0, true)
  const count = data.getUint32(4, true)
  if (version !== VERSION) return `device state version ${version}, expected ${VERSION}`
  if (bytes.length !== DEVICE_HEADER_BYTES + 4 * count) {
    return `device state: ${count} connections do not fit`
  }
  const connections: number[] = []
  for (let i = 0; i < count; i++)
    connections.push(data.getUint32(DEVICE_HEADER_BYTES + 4 * i, true))
  const inputs = Number(data.getBigUint64(8, true))
  const outputs = Number(data.getBigUint64(16, true))
  return { inputs, outputs, connections }
}
