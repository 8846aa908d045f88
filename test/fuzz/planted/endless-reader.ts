// A reader that never ends with one input, for the test of the fuzzer.

import type { FuzzTarget } from '../fuzz-target.ts'

export const target: FuzzTarget = {
  name: 'endless-reader',
  what: 'a reader that never ends',
  inputBytesMax: 16,
  bounds: { steps: 10_000, stepsPerByte: 100, allocated: 10_000, allocatedPerByte: 10 },
  seeds: () => [Uint8Array.of(1, 2, 3)],
  run(bytes) {
    let left = bytes.length
    while (left > 0) left -= bytes[0] === 0x7f ? 0 : 1
    return 'read'
  },
}
