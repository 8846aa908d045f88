// A reader that believes a length, for the test of the fuzzer: it makes a buffer for what never comes.

import type { FuzzTarget } from '../fuzz-target.ts'

export const target: FuzzTarget = {
  name: 'greedy-reader',
  what: 'a reader that believes a length',
  inputBytesMax: 16,
  bounds: { steps: 10_000, stepsPerByte: 100, allocated: 1 << 16, allocatedPerByte: 10 },
  seeds: () => [new Uint8Array(8)],
  run(bytes) {
    if (bytes.length < 4) return 'short'
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) & 0xff_ffff
    return new Uint8Array(length).length > bytes.length ? 'truncated' : 'read'
  },
}
