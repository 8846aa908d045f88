// The checkpoints of a COLO session in BER, on a made one: what they become, what is said of them, and that a
// session comes back wherever it is cut off.

import { describe, expect, it } from 'vitest'
import { BerReader } from '../../formats/ber/ber-reader.ts'
import { CONTEXT_1 } from '../../formats/ber/ber-tag.ts'
import { berToStream } from '../../formats/ber/ber-to-stream.ts'
import { moduleTagName, TAGS } from '../../formats/ber/migration-tags.ts'
import { streamToBer } from '../../formats/ber/stream-to-ber.ts'
import { sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import { FORMS, KeptBytes, type Form } from './bytes.ts'
import { madeStream, sessionBytes } from './made-stream.ts'

function intoBer(stream: Uint8Array, form: Form) {
  const kept = new KeptBytes()
  const report = streamToBer(() => sourceOf(stream), kept, { definite: form === 'definite' })
  return { report, ber: kept.bytes }
}

function outOfBer(ber: Uint8Array): Uint8Array {
  const kept = new KeptBytes()
  berToStream(() => sourceOf(ber), kept)
  return kept.bytes
}

describe('the checkpoints of a session', () => {
  const bytes = madeStream('colo')
  const { report, ber } = intoBer(bytes, 'indefinite')

  it('are reported on their own, what recurs in one sum', () => {
    const slirp = { section: 'slirp (0)', bytes: 6, reason: 'old-style: described as one buffer' }
    expect(report).toMatchObject({ sections: 5, blobs: [{ bytes: 3 }], cutOff: undefined })
    expect(report.checkpoints).toMatchObject({ count: 2, sections: 6, deviceBytes: 22 })
    expect(report.checkpoints).toMatchObject({ blobBytes: 6, blobs: [slirp] })
    const back = berToStream(() => sourceOf(ber), new KeptBytes())
    expect(back.checkpoints).toMatchObject({ count: 2, sections: 6, deviceBytes: 22 })
    expect(back.checkpoints.blobs).toEqual([{ ...slirp, reason: 'an oldblob' }])
  })

  it('are messages, pages and device states, in that order', () => {
    const reader = new BerReader(sourceOf(ber))
    reader.enter(TAGS.QemuFile)
    while (reader.tag !== CONTEXT_1) reader.skip()
    reader.enter(CONTEXT_1)
    const found: (string | number)[] = []
    while (reader.more) {
      const { tag } = reader
      if (tag === TAGS.ColoMessage) found.push(reader.count(9, 'message', tag))
      else {
        found.push(moduleTagName(tag).replace(/ .*/, ''))
        reader.skip()
      }
    }
    const checkpoint = [1, 3, 'CheckpointPages', 'CheckpointState']
    expect(found).toEqual([...checkpoint, ...checkpoint, 1])
    reader.leave()
    expect(reader.more).toBe(false)
  })

  it.each(FORMS)('come back wherever the session is cut off, in the %s form', (form) => {
    const first = bytes.length - sessionBytes()
    const found = { whole: 0, cut: 0 }
    for (let cut = first; cut <= bytes.length; cut += cut > first + 60 ? 13 : 1) {
      const part = bytes.subarray(0, cut)
      const there = intoBer(part, form)
      expect([cut, Buffer.compare(outOfBer(there.ber), part)]).toEqual([cut, 0])
      const { trailerBytes, cutOff } = there.report
      found[trailerBytes > 0 ? 'cut' : 'whole']++
      // Between two messages nothing is in pieces, and the walk still misses what is due.
      if (trailerBytes > 0) expect(cutOff).toContain(`truncated at byte ${cut}`)
    }
    expect(found.whole).toBeGreaterThanOrEqual(4)
    expect(found.cut).toBeGreaterThan(500)
  })

  it('are broken, not cut off, where something else is there', () => {
    const at = bytes.length - sessionBytes()
    const convert = () => intoBer(bytes.with(at + 3, 9), 'indefinite')
    expect(convert).toThrow(expect.objectContaining({ code: 'unknown-item', offset: at }))
  })
})
