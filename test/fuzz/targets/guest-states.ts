// The guest's own state: what is read is written again as it was.

import {
  decodeCpu,
  decodeDevice,
  encodeCpu,
  encodeDevice,
} from '../../../keepers/wasm/abi/wasm-state.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

/** The first byte: which of the two. */
function run(bytes: Uint8Array): string {
  const body = bytes.subarray(1)
  const isCpu = ((bytes[0] ?? 0) & 1) === 0
  const state = isCpu ? decodeCpu(body) : decodeDevice(body)
  if (typeof state === 'string') return state.split(' ', 3).join(' ')
  const again = 'globals' in state ? encodeCpu(state) : encodeDevice(state)
  if (Buffer.compare(again, body) !== 0) throw new Error('written otherwise than read')
  return 'loaded'
}

const seeds = () => [
  Uint8Array.of(0, ...encodeCpu({ memoryBytes: 0x20000, globals: [1n, 2n ** 64n - 1n] })),
  Uint8Array.of(0, ...encodeCpu({ memoryBytes: 0, globals: [] })),
  ...[0, 1_700_000_000_000].map((clockMs) =>
    Uint8Array.of(
      1,
      ...encodeDevice({ inputs: 5, outputs: 6, connections: [1, 0xffffffff], clockMs }),
    ),
  ),
]

export const target: FuzzTarget = {
  name: 'guest-states',
  what: "the guest's own state, loaded",
  inputBytesMax: 4096,
  bounds: { steps: 5000, stepsPerByte: 100, allocated: 1 << 20, allocatedPerByte: 64 },
  seeds,
  run,
}
