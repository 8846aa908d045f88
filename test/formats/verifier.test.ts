// What the verifier does beyond the reader: all findings of a stream, those that are the sender's
// alone, big-endian streams, the back channel against the forward one, and memory that does not grow.

import { describe, expect, it } from 'vitest'
import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { encodeRawRecord, encodeRecord, fixedRecords } from '../../formats/xen/record-encoder.ts'
import { encodeImageHeader } from '../../formats/xen/stream-headers.ts'
import type { Finding } from '../../formats/xen/verify/finding.ts'
import { StreamVerifier } from '../../formats/xen/verify/stream-verifier.ts'
import * as streams from './streams.ts'
import { verifyAll } from './verify-all.ts'

const plain = streams.plainStream()
const { NEW, SVM_READY, SVM_RESUMED, SVM_SUSPENDED } = fixedRecords
const PAGES = 7
const TSC = 9
const EMULATOR = 14

/** The parts with bytes of one of them set. */
function patch(parts: readonly Uint8Array[], index: number, byte: number, ...values: number[]) {
  const part = parts[index].slice()
  part.set(values, byte)
  return parts.with(index, part)
}

function offsetOf(parts: readonly Uint8Array[], index: number): number {
  return streams.join(parts.slice(0, index)).length
}

function briefly(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, code, offset }) => `${severity} ${code} ${offset}`)
}

describe('the verifier', () => {
  it('finds every flaw of a stream in one run, and goes on behind each', () => {
    let parts: readonly Uint8Array[] = plain
    parts = patch(parts, 4, 4, 0)
    parts = patch(parts, PAGES, 31, 0x50)
    parts = patch(parts, TSC, 8, 9)
    parts = patch(parts, TSC, 28, 1)
    parts = parts.toSpliced(12, 0, encodeRawRecord(0x77, streams.bytesOf(5)))
    parts = [...parts, Uint8Array.of(1)]
    const at = (index: number, byte = 0) => offsetOf(parts, index) + byte
    // The empty CPUID policy takes its body with it: what follows is read as the next record.
    const { findings, verdict } = verifyAll([streams.join(parts.with(4, parts[4].subarray(0, 8)))])
    const shift = parts[4].length - 8
    expect(briefly(findings)).toEqual([
      `error bad-length ${at(4, 4)}`,
      `error bad-page-type ${at(PAGES, 24) - shift}`,
      `sender reserved ${at(TSC, 28) - shift}`,
      `error bad-value ${at(TSC, 8) - shift}`,
      `error unknown-record ${at(12) - shift}`,
      `error trailing-bytes ${at(parts.length - 1) - shift}`,
    ])
    expect(verdict).toMatchObject({
      judgement: 'invalid',
      ending: 'complete',
      findings: { error: 5, sender: 1, note: 0 },
    })
  })

  it('says of one missing record that it is missing once, not with every record that needs it', () => {
    const { findings } = verifyAll([streams.join(plain.toSpliced(6, 1))])
    expect(briefly(findings)).toEqual([`error wrong-place ${offsetOf(plain, 6)}`])
    const { findings: ofPv } = verifyAll([streams.join(streams.pvStream().toSpliced(4, 1))])
    expect(ofPv.map(({ record }) => record)).toEqual(['X86_PV_P2M_FRAMES'])
  })

  it.each([
    ['libxl option bits', patch(plain, 0, 12, 0x80), [0, 12]],
    ['image option bits', patch(plain, 2, 16, 0x40), [2, 16]],
    ['the reserved words of the image header', patch(plain, 2, 18, 1), [2, 18]],
    ['the reserved word of the domain header', patch(plain, 3, 6, 1), [3, 6]],
    ['the reserved word of PAGE_DATA', patch(plain, PAGES, 12, 1), [PAGES, 12]],
    ['reserved bits of a pfn word', patch(plain, PAGES, 22, 0x10), [PAGES, 16]],
    ['the reserved word of TSC_INFO', patch(plain, TSC, 28, 1), [TSC, 28]],
    ['padding', patch(plain, EMULATOR, 8 + 19, 1), [EMULATOR, 27]],
  ] as const)('leaves %s to the sender', (_, parts, [part, byte]) => {
    const { findings, verdict } = verifyAll([streams.join(parts)])
    expect(findings).toMatchObject([{ severity: 'sender', offset: offsetOf(parts, part) + byte }])
    expect(verdict).toMatchObject({ judgement: 'sender-invalid', ending: 'complete' })
  })

  it('ends in a failover where the reader does, and says how much was whole', () => {
    const parts = streams.checkpointedStream('colo', 2)
    const whole = streams.join(parts)
    const cut = streams.join([whole, NEW, streams.tscInfo.subarray(0, 20)])
    expect(verifyAll([cut]).verdict).toMatchObject({
      judgement: 'valid',
      ending: 'failover',
      checkpoints: 2,
      checkpointEndBytes: whole.length,
    })
    const first = streams.join(streams.checkpointedStream('colo', 1)).length
    const early = verifyAll([whole.subarray(0, first - 1)])
    expect(briefly(early.findings)).toEqual([`error truncated ${first - 1}`])
  })

  it.each([0, 5])('says of %d bytes that they are no stream', (length) => {
    const { verdict, findings, verifier } = verifyAll([new Uint8Array(length)])
    expect(findings).toMatchObject([{ code: 'truncated', record: 'header', offset: length }])
    expect(verdict).toMatchObject({ judgement: 'invalid', ending: 'truncated' })
    expect(verifier.form).toBeUndefined()
  })

  it('gives up where it cannot know what follows', () => {
    const lost = plain.with(2, encodeImageHeader(4))
    const { verdict, findings } = verifyAll([streams.join(lost)])
    expect(verdict).toMatchObject({ judgement: 'invalid', ending: 'lost' })
    expect(briefly(findings)).toEqual([`error bad-version ${offsetOf(plain, 2) + 12}`])
  })

  it('wants no checkpoints in an image that is verified', () => {
    const verify = encodeRawRecord(LIBXC.VERIFY.type, new Uint8Array(0))
    const parts = streams.checkpointedStream('remus', 1).toSpliced(8, 0, verify)
    const { findings } = verifyAll([streams.join(parts)])
    expect(findings).toMatchObject([{ code: 'wrong-place', record: 'CHECKPOINT' }])
  })

  it('judges a COLO stream of a PV guest once', () => {
    const { findings } = verifyAll([streams.join(streams.pvStream())], { form: 'colo' })
    expect(findings.map(({ rule }) => rule)).toEqual(['COLO is only for HVM guests'])
  })

  it('reads big-endian words', () => {
    const swap = (part: Uint8Array, ...sizes: number[]) => {
      const swapped = part.slice()
      let at = 0
      for (const size of sizes) {
        swapped.subarray(at, at + size).reverse()
        at += size
      }
      return swapped
    }
    const image = encodeImageHeader().slice()
    image[17] = 1
    const parts = [
      image,
      swap(plain[3], 4, 2, 2, 4, 4),
      swap(fixedRecords.STATIC_DATA_END, 4, 4),
      swap(streams.pageData([[5, 1]]), 4, 4, 4, 4, 8),
      swap(streams.tscInfo, 4, 4, 4, 4, 8, 4, 4),
      swap(fixedRecords.LIBXC_END, 4, 4),
    ]
    const { verdict, findings, verifier } = verifyAll([streams.join(parts)], { tracksPfns: true })
    expect(findings).toMatchObject([{ code: 'big-endian', severity: 'note', offset: 16 }])
    expect(verdict).toMatchObject({ judgement: 'valid', ending: 'complete' })
    expect(verifier.forwardFacts.pfnHighest).toBe(5)
    const damaged = parts.with(3, swap(streams.pageData([[5, 6]]), 4, 4, 4, 4, 8))
    expect(verifyAll([streams.join(damaged)]).findings[1]).toMatchObject({
      code: 'bad-page-type',
      offset: offsetOf(parts, 3) + 16,
    })
  })

  it('may skip what it need not see, and nothing else', () => {
    const bytes = streams.join(plain)
    const verifier = new StreamVerifier({ finding: () => {} })
    for (let at = 0; at < bytes.length;) {
      const skipped = verifier.skippable
      if (skipped > 0) verifier.skip(skipped)
      else verifier.push(bytes, at, at + 1)
      at += skipped > 0 ? skipped : 1
    }
    expect(verifier.finish()).toEqual(verifyAll([bytes]).verdict)
    expect(() => verifier.skip(1)).toThrow(RangeError)
  })

  it('holds nothing of a body, however long', () => {
    const before = process.memoryUsage().arrayBuffers
    const head = streams.join(plain.slice(0, 10))
    const piece = new Uint8Array(1 << 20)
    const verifier = new StreamVerifier({ finding: () => {} })
    verifier.push(head)
    // An HVM_CONTEXT of 128 MiB, in pieces.
    verifier.push(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 8))
    for (let mib = 0; mib < 128; mib++) verifier.push(piece)
    verifier.push(fixedRecords.LIBXC_END)
    verifier.push(fixedRecords.LIBXL_END)
    expect(verifier.finish()).toMatchObject({ judgement: 'valid', ending: 'complete' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 << 20)
  })
})

describe('a back channel', () => {
  const forwardOf = (checkpoints: number) => {
    const bytes = streams.join(streams.checkpointedStream('colo', checkpoints))
    return verifyAll([bytes], { form: 'colo', tracksPfns: true }).verifier.forwardFacts
  }
  const round = (...pfns: number[]) => [
    SVM_SUSPENDED,
    streams.dirtyPfnList(pfns),
    SVM_READY,
    SVM_RESUMED,
  ]
  const against = (checkpoints: number, ...parts: Uint8Array[]) =>
    briefly(
      verifyAll([streams.join(parts)], { form: 'back', forward: forwardOf(checkpoints) }).findings,
    )

  it('knows what its forward stream says', () => {
    expect(forwardOf(3)).toEqual({ checkpoints: 3, news: 2, pfnHighest: 2 ** 52 - 1 })
  })

  it('belongs to a forward stream of as many rounds', () => {
    expect(against(3, SVM_READY, SVM_RESUMED, ...round(3), ...round())).toEqual([])
    // The secondary may be one answer behind.
    expect(against(3, SVM_READY, SVM_RESUMED, ...round(3), ...round().slice(0, 2))).toEqual([])
  })

  it('answers nothing that was not said', () => {
    const parts = [SVM_READY, SVM_RESUMED, ...round(3), ...round(4)]
    const at = (index: number) => offsetOf(parts, index)
    expect(against(2, ...parts)).toEqual([
      `error out-of-step ${at(6)}`,
      `error out-of-step ${at(8)}`,
    ])
  })

  it('leaves nothing unanswered that the forward stream went on from', () => {
    const parts = [SVM_READY, SVM_RESUMED]
    const end = streams.join(parts).length
    expect(against(3, ...parts)).toEqual([`error out-of-step ${end}`, `error out-of-step ${end}`])
  })

  it('names only pages that the guest has', () => {
    const bytes = streams.join([
      ...streams.opening(),
      fixedRecords.STATIC_DATA_END,
      streams.pageData([[7, 0]]),
      ...[fixedRecords.CHECKPOINT, fixedRecords.CHECKPOINT_END, NEW],
      ...[fixedRecords.CHECKPOINT, fixedRecords.CHECKPOINT_END],
    ])
    const { verifier } = verifyAll([bytes], { form: 'colo', tracksPfns: true })
    const parts = [SVM_READY, SVM_RESUMED, ...round(7, 8)]
    const { findings } = verifyAll([streams.join(parts)], {
      form: 'back',
      forward: verifier.forwardFacts,
    })
    expect(findings).toMatchObject([
      { code: 'out-of-step', offset: offsetOf(parts, 3) + 16, found: '0x8' },
    ])
  })

  it('that Xen 4.18 or later has written is told by its stray bytes', () => {
    const list = streams.dirtyPfnList([1, 0x20])
    const stray = streams.join([list.subarray(0, 8), new Uint8Array(8), list.subarray(8)])
    const { findings } = verifyAll([streams.join([SVM_READY, SVM_RESUMED, SVM_SUSPENDED, stray])])
    expect(findings[0]).toMatchObject({ code: 'unknown-record', record: '0x20' })
    expect(findings[0]?.rule).toContain('Xen 4.18 and later')
  })

  it('names pfns, not page types', () => {
    const words = new Uint8Array(8)
    words[7] = 0x10
    const list = encodeRecord(LIBXC.CHECKPOINT_DIRTY_PFN_LIST, { words })
    const parts = [SVM_READY, SVM_RESUMED, SVM_SUSPENDED, list]
    const { findings } = verifyAll([streams.join(parts)])
    expect(briefly(findings)).toEqual([`error bad-value ${offsetOf(parts, 3) + 8}`])
  })
})
