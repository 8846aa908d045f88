// The state of a WebAssembly guest that is not RAM, as descriptions of VMState. CPU state: the size of its memory
// and its mutable globals in the order of their names. Device state: what its host knows, the connections that
// are open and two counters; of a guest that asks for the time also its clock, in a subsection, so that all others
// stay as they were. A later version adds its fields with a `version_id`, and this one's still load.

import { QemuStreamError } from '../../../formats/qemu/file/qemu-stream-error.ts'
import { loadState, saveState } from '../../../formats/qemu/vmstate/state-blob.ts'
import type { QemuTrace } from '../../../formats/qemu/vmstate/trace-events.ts'
import type { VMStateDescription } from '../../../formats/qemu/vmstate/vmstate.ts'

export interface WasmCpu {
  readonly memoryBytes: number
  /** Raw bits of each global. */
  readonly globals: readonly bigint[]
}

export interface WasmDevice {
  readonly inputs: number
  readonly outputs: number
  readonly connections: readonly number[]
  /** The guest's clock, milliseconds since 1970-01-01 UTC; 0: it has never been told the time. */
  readonly clockMs: number
}

export interface WasmCpuMembers {
  memory_bytes: bigint
  num_globals: number
  globals: bigint[]
}

export interface WasmDeviceMembers {
  inputs: bigint
  outputs: bigint
  num_connections: number
  connections: number[]
  clock_ms: bigint
}

/** The last millisecond that a Date holds: later ones, and fractions of them, stay exact in an f64. */
const CLOCK_MS_MAX = 8_640_000_000_000_000n

export const wasmCpuVmsd: VMStateDescription<WasmCpuMembers> = {
  name: 'wasm-cpu',
  version_id: 1,
  minimum_version_id: 1,
  fields: [
    { name: 'memory_bytes', type: 'uint64' },
    { name: 'num_globals', type: 'uint32' },
    { name: 'globals', type: 'uint64', count: 'num_globals' },
  ],
}

const wasmClockVmsd: VMStateDescription<WasmDeviceMembers> = {
  name: 'wasm-host/clock',
  version_id: 1,
  minimum_version_id: 1,
  needed: ({ clock_ms }) => clock_ms !== 0n,
  fields: [{ name: 'clock_ms', type: 'uint64' }],
  pre_load: ({ clock_ms }) => (clock_ms === 0n ? undefined : 'the clock is there twice'),
  post_load: ({ clock_ms }) =>
    clock_ms > 0n && clock_ms <= CLOCK_MS_MAX
      ? undefined
      : `a clock of ${clock_ms} ms is not between 1 and ${CLOCK_MS_MAX}`,
}

export const wasmDeviceVmsd: VMStateDescription<WasmDeviceMembers> = {
  name: 'wasm-host',
  version_id: 1,
  minimum_version_id: 1,
  fields: [
    { name: 'inputs', type: 'uint64' },
    { name: 'outputs', type: 'uint64' },
    { name: 'num_connections', type: 'uint32' },
    { name: 'connections', type: 'uint32', count: 'num_connections' },
  ],
  subsections: [wasmClockVmsd],
}

export function encodeCpu({ memoryBytes, globals }: WasmCpu, trace?: QemuTrace): Uint8Array {
  const cpu: WasmCpuMembers = {
    memory_bytes: BigInt(memoryBytes),
    num_globals: globals.length,
    globals: globals.map((bits) => BigInt.asUintN(64, bits)),
  }
  return saveState(wasmCpuVmsd, cpu, trace)
}

/** The state, or what is wrong with the bytes. */
export function decodeCpu(bytes: Uint8Array, trace?: QemuTrace): WasmCpu | string {
  const cpu: WasmCpuMembers = { memory_bytes: 0n, num_globals: 0, globals: [] }
  const refusal = refusalOf('CPU state', () => loadState(wasmCpuVmsd, bytes, cpu, trace))
  if (refusal !== undefined) return refusal
  const memoryBytes = Number(cpu.memory_bytes)
  if (!Number.isSafeInteger(memoryBytes)) return `CPU state: ${cpu.memory_bytes} bytes of RAM`
  return { memoryBytes, globals: cpu.globals }
}

export function encodeDevice(device: WasmDevice, trace?: QemuTrace): Uint8Array {
  const { inputs, outputs, connections, clockMs } = device
  const host: WasmDeviceMembers = {
    inputs: BigInt(inputs),
    outputs: BigInt(outputs),
    num_connections: connections.length,
    connections: [...connections],
    clock_ms: BigInt(clockMs),
  }
  return saveState(wasmDeviceVmsd, host, trace)
}

/** The state, or what is wrong with the bytes. */
export function decodeDevice(bytes: Uint8Array, trace?: QemuTrace): WasmDevice | string {
  const host: WasmDeviceMembers = {
    inputs: 0n,
    outputs: 0n,
    num_connections: 0,
    connections: [],
    clock_ms: 0n,
  }
  const refusal = refusalOf('device state', () => loadState(wasmDeviceVmsd, bytes, host, trace))
  if (refusal !== undefined) return refusal
  const [inputs, outputs] = [Number(host.inputs), Number(host.outputs)]
  if (!Number.isSafeInteger(inputs) || !Number.isSafeInteger(outputs)) {
    return `device state: ${host.inputs} inputs and ${host.outputs} outputs are beyond 2^53`
  }
  return { inputs, outputs, connections: host.connections, clockMs: Number(host.clock_ms) }
}

function refusalOf(what: string, load: () => void): string | undefined {
  try {
    load()
    return undefined
  } catch (error) {
    if (error instanceof QemuStreamError) return `${what}: ${error.message}`
    throw error
  }
}
