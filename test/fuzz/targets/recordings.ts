// The flattener of recordings: what comes out of a recording that it takes is a sound plain stream.

import { Flattener } from '../../../formats/xen/flatten.ts'
import { StreamError } from '../../../formats/xen/stream-error.ts'
import { StreamReader } from '../../../formats/xen/stream-reader.ts'
import { readAll } from '../../formats/read-all.ts'
import * as streams from '../../formats/streams.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

/** What a recording is flattened to, in one piece or in many; undefined if no whole checkpoint is in it. */
function flattened(bytes: Uint8Array, piece: number): Uint8Array | undefined {
  const ignore = { record: () => {}, pageData: () => {}, pageBytes: () => {} }
  const reader = new StreamReader(ignore, { form: 'libxl' })
  reader.push(bytes)
  const endBytes = reader.checkpointEndBytes
  if (endBytes === 0) return undefined
  const parts: Uint8Array[] = []
  const flattener = new Flattener((part) => parts.push(part.slice()), { endBytes })
  for (let at = 0; at < bytes.length; at += piece) flattener.push(bytes.subarray(at, at + piece))
  const told = flattener.finish()
  if (told.droppedBytes !== bytes.length - endBytes) throw new Error('bytes were lost count of')
  return streams.join(parts)
}

function run(bytes: Uint8Array): string {
  const piece = 1 + 16 * (bytes[0] ?? 0)
  const recording = bytes.subarray(1)
  let flat: Uint8Array | undefined
  try {
    flat = flattened(recording, Infinity)
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    return error.code
  }
  if (flat === undefined) return 'no whole checkpoint'
  const again = flattened(recording, piece)
  if (again === undefined || Buffer.compare(flat, again) !== 0)
    throw new Error('not the same in pieces')
  const { outcome, error } = readAll([flat], { form: 'libxl', checkpointed: 'none' })
  if (outcome !== 'complete') throw new Error(`flattened to a broken stream: ${error?.message}`)
  return 'flattened'
}

const seeds = () =>
  (['colo', 'remus'] as const).flatMap((kind) => {
    const small = streams.checkpointedStream(kind, 2).filter(({ length }) => length < 4096)
    return [small, small.slice(0, -2), streams.checkpointedStream(kind, 1)].map((parts) =>
      streams.join([Uint8Array.of(3), ...parts]),
    )
  })

export const target: FuzzTarget = {
  name: 'recordings',
  what: 'recordings of the pair, before the flattener',
  inputBytesMax: 16 * 1024,
  bounds: { steps: 20_000, stepsPerByte: 200, allocated: 1 << 20, allocatedPerByte: 64 },
  seeds,
  run,
}
