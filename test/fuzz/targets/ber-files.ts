// BER out of streams and streams out of BER. The first byte of an input says which, and which form of lengths.

import { checkBer, checkStream, berOfStream } from '../../ber/conversion-checks.ts'
import { MADE_KINDS, madeStream, streamOfTwins } from '../../ber/made-stream.ts'
import { coloSession, describedStream, memoryStream } from '../../qemu/described-stream.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

const DEFINITE = 1
const FROM_BER = 2

/** A stream as inputs of all four kinds. */
function askedEachWay(stream: Uint8Array): Uint8Array[] {
  return [0, DEFINITE].flatMap((form) => [
    Uint8Array.of(form, ...stream),
    Uint8Array.of(form | FROM_BER, ...berOfStream(stream, form === DEFINITE)),
  ])
}

const seeds = () =>
  [
    ...MADE_KINDS.map(madeStream),
    streamOfTwins(),
    describedStream(),
    describedStream(false),
    coloSession(),
    memoryStream(),
  ].flatMap(askedEachWay)

export const target: FuzzTarget = {
  name: 'ber',
  what: 'BER before our reader, streams before our writer of it, and what comes back',
  inputBytesMax: 24 * 1024,
  bounds: { steps: 100_000, stepsPerByte: 3000, allocated: 32 << 20, allocatedPerByte: 4096 },
  seeds,
  ask: askedEachWay,
  run(bytes) {
    const [how = 0] = bytes
    const check = (how & FROM_BER) === 0 ? checkStream : checkBer
    return check(bytes.subarray(1), (how & DEFINITE) !== 0)
  },
}
