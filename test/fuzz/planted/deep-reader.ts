// A reader with a bug behind seven comparisons, each of another kind, for the test of the fuzzer: who only changes
// bytes by chance does not come so far.

import type { FuzzTarget } from '../fuzz-target.ts'

const KINDS = new Map([
  [0x5eed, 'seed'],
  [0xbeef, 'meat'],
])
const MAGIC = 0x434f_4c4f
const SERIAL = 0x0123_4567_89ab_cdefn

function read(bytes: Uint8Array): string {
  if (bytes.length < 34) return 'short'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== MAGIC) return 'no magic'
  const kind = KINDS.get(view.getUint16(4))
  if (kind === undefined) return 'no kind'
  if (kind === 'seed') return 'a seed'
  switch (view.getUint32(6)) {
    case 70_000:
      return 'an old version'
    case 70_001:
      break
    default:
      return 'no version'
  }
  let name = ''
  for (let i = 10; i < 18; i++) name += String.fromCharCode(view.getUint8(i))
  if (name !== 'witness!') return 'no name'
  if (view.getBigUint64(18) !== SERIAL) return 'no serial'
  if (view.getUint32(26, true) + 9 < 4_000_000_000) return 'small'
  if (view.getUint32(30) !== bytes.length + 1_000_000) return 'no length'
  throw new Error('the planted bug')
}

export const target: FuzzTarget = {
  name: 'deep-reader',
  what: 'a reader with a planted bug',
  inputBytesMax: 64,
  bounds: { steps: 10_000, stepsPerByte: 100, allocated: 10_000, allocatedPerByte: 10 },
  seeds: () => [new Uint8Array(40).map((_, i) => i * 5)],
  run: read,
}
