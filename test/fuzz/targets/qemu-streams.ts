// QEMU's migration streams, COLO sessions and page channels, before all that decodes them. The first byte of an
// input says which way it is decoded.

import { deflateSync } from 'node:zlib'
import * as decoding from '../../qemu/decode-all.ts'
import {
  coloSession,
  describedStream,
  memoryStream,
  pageChannel,
} from '../../qemu/described-stream.ts'
import { MADE_KINDS, madeStream, streamOfTwins } from '../../ber/made-stream.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

const WAYS = [...decoding.WAYS, decoding.decodeChannel]

/** The stream's bytes, to be decoded this way. */
function asked(way: (bytes: Uint8Array) => string, bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(WAYS.indexOf(way), ...bytes)
}

/** In each of the ways that streams are decoded. */
function askedEachWay(bytes: Uint8Array): Uint8Array[] {
  return WAYS.slice(0, -1).map((way) => asked(way, bytes))
}

function seeds(): Uint8Array[] {
  const pages = new Uint8Array(8192).fill(7)
  const made = MADE_KINDS.filter((kind) => kind !== 'whole').map(madeStream)
  const streams = [
    describedStream(),
    describedStream(false),
    coloSession(),
    memoryStream(),
    streamOfTwins(),
    ...made,
  ]
  return [
    ...streams.flatMap(askedEachWay),
    asked(decoding.decodeDevices, madeStream('whole')),
    asked(decoding.decodeSummary, madeStream('whole')),
    asked(
      decoding.decodeChannel,
      pageChannel(2, new Uint8Array(deflateSync(pages, { finishFlush: 2 }))),
    ),
    asked(decoding.decodeChannel, pageChannel(0, pages)),
  ]
}

export const target: FuzzTarget = {
  name: 'qemu',
  what: 'streams of QEMU, COLO sessions and page channels, before all that decodes them',
  inputBytesMax: 32 * 1024,
  bounds: { steps: 50_000, stepsPerByte: 500, allocated: 8 << 20, allocatedPerByte: 1024 },
  seeds,
  ask: askedEachWay,
  run: (bytes) => (WAYS[(bytes[0] ?? 0) % WAYS.length] ?? decoding.decodeAll)(bytes.subarray(1)),
}
