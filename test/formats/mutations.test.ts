// Sound streams, damaged at random: whatever comes in, the reader answers with a StreamError or an
// outcome, in bounded time and memory, and says the same however the bytes are cut.

import { describe, expect, it } from 'vitest'
import { streamErrorCodes } from '../../formats/xen/stream-error.ts'
import { StreamReader } from '../../formats/xen/stream-reader.ts'
import type { StreamReaderOptions } from '../../formats/xen/stream-sink.ts'
import { mutate, randomFrom } from './mutate.ts'
import { checkReader } from './stream-checks.ts'
import * as streams from './streams.ts'

const RUNS = 20_000

const sources: [Uint8Array[], StreamReaderOptions][] = [
  [streams.plainStream(), { form: 'libxl' }],
  [streams.checkpointedStream('colo', 2), { form: 'libxl' }],
  [streams.checkpointedStream('colo', 2), { form: 'libxl', checkpointed: 'colo' }],
  [streams.checkpointedStream('remus', 2), { form: 'libxl' }],
  [streams.pvStream(), { form: 'libxl' }],
  [streams.backStream(3), { form: 'back' }],
]

describe('mutations', () => {
  it(`${RUNS} damaged streams end in a coded error or a known outcome`, { timeout: 20_000 }, () => {
    const codes = new Map<string, number>()
    for (let run = 0; run < RUNS; run++) {
      const random = randomFrom(run)
      const [parts, options] = sources[run % sources.length]
      const bytes = mutate(parts, random)
      const code = checkReader(bytes, options, 1 + random(900))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    // Every code but 'closed' must have come up, and the outcomes: else the mutations are too tame.
    const due = Object.keys(streamErrorCodes).filter((code) => code !== 'closed')
    expect([...codes.keys()].toSorted()).toEqual([...due, 'complete', 'failover'].toSorted())
  })

  it('holds no more than has come, whatever a length promises', () => {
    const promise = streams
      .join(streams.plainStream())
      .slice(0, streams.join(streams.opening()).length)
    // HVM_CONTEXT of 32 MiB, of which more comes than the first scratch holds.
    const huge = streams.join([Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 2), streams.bytesOf(2000)])
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 64 }, () => {
      const reader = new StreamReader(
        { record: () => {}, pageData: () => {}, pageBytes: () => {} },
        { form: 'libxl' },
      )
      reader.push(promise)
      reader.push(huge)
      return reader
    })
    expect(readers[63]?.state).toBe('libxc: body')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })
})
