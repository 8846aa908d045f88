// What must hold of a Xen stream whatever its bytes are: the reader ends it in an outcome or a coded error, the
// verifier says the same however the bytes are cut and agrees with the reader, and what stands for Xen's verifier
// has a verdict. Whoever makes streams, by chance or guided, holds them against this.

import { isDeepStrictEqual } from 'node:util'
import { StreamError, streamErrorCodes } from '../../formats/xen/stream-error.ts'
import type { StreamForm } from '../../formats/xen/stream-order.ts'
import { StreamReader } from '../../formats/xen/stream-reader.ts'
import type { StreamReaderOptions } from '../../formats/xen/stream-sink.ts'
import type { ForwardFacts } from '../../formats/xen/verify/back-rounds.ts'
import { findingCodes, type Finding } from '../../formats/xen/verify/finding.ts'
import type { VerifierOptions } from '../../formats/xen/verify/verifier-sink.ts'
import type { XenVerdict } from '../../formats/xen/verify/xen-rules.ts'
import { XenVerifier, type XenForm } from '../../formats/xen/verify/xen-verdict.ts'
import { verifyAll, type Verified } from './verify-all.ts'

/** Small ones, so that a small stream can exceed them. */
export const smallLimits = { recordBytesMax: 1 << 20, pfnsMax: 4096, blobBytesMax: 1 << 16 }

/** The verifier holds nothing, and so has no limits of its own. */
const noLimits = { recordBytesMax: 2 ** 32, pfnsMax: 2 ** 32, blobBytesMax: 2 ** 32 }
const ignore = { record: () => {}, pageData: () => {}, pageBytes: () => {} }

export function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What the reader says of a stream that comes in pieces: its outcome or the message of its error. */
export function readingInPieces(
  bytes: Uint8Array,
  options: StreamReaderOptions,
  piece: number,
): string {
  let largest = 0
  const see = (body: Uint8Array) => {
    largest = Math.max(largest, body.length)
  }
  const sink = {
    record: ({ body }: { body: Uint8Array }) => see(body),
    pageData: (_: unknown, count: number, words: Uint8Array) => {
      if (words.length !== count * 8) throw new Error('words do not fit their count')
      see(words)
    },
    pageBytes: (_: Uint8Array, from: number, to: number) => {
      if (from >= to) throw new Error('no bytes were handed on')
    },
  }
  const limits = smallLimits
  const reader = new StreamReader(sink, { ...options, limits })
  let verdict: string
  try {
    for (let at = 0; at < bytes.length; at += piece) {
      reader.push(bytes, at, Math.min(bytes.length, at + piece))
    }
    verdict = reader.finish()
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    if (!(error.code in streamErrorCodes)) throw error
    if (error.offset > bytes.length || error.rule === '') throw error
    verdict = error.message
  }
  if (largest > Math.max(limits.blobBytesMax, limits.pfnsMax * 8)) throw new Error('over the limit')
  return verdict
}

/** Says the same whole and in pieces. Returns an outcome or the code of an error. */
export function checkReader(
  bytes: Uint8Array,
  options: StreamReaderOptions,
  piece: number,
): string {
  const whole = readingInPieces(bytes, options, Infinity)
  const pieces = readingInPieces(bytes, options, piece)
  if (whole !== pieces) throw new Error(`${whole}, in pieces: ${pieces}`)
  return whole.split(' ', 1)[0] ?? ''
}

/** What the reader ends with: an outcome, or the code and offset of its error. */
function readingOf(bytes: Uint8Array, form: StreamForm): string {
  const reader = new StreamReader(ignore, { form, limits: noLimits })
  try {
    reader.push(bytes)
    return reader.finish()
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    return `${error.code} ${error.offset}`
  }
}

interface Skipping {
  readonly skippable: number
  skip(bytes: number): void
  push(chunk: Uint8Array, from: number, to: number): void
}

/** Pieces, but what need not be looked at is skipped as far as there is something: as a file is read. */
function pushSkipping(verifier: Skipping, bytes: Uint8Array, piece: number): void {
  for (let at = 0; at < bytes.length;) {
    const skipped = Math.min(verifier.skippable, bytes.length - at)
    if (skipped > 0) verifier.skip(skipped)
    const from = at + skipped
    at = Math.min(bytes.length, from + piece)
    if (at > from) verifier.push(bytes, from, at)
  }
}

/** Never throws, says the same whole, in pieces and skipping, and nothing that is not in its table. */
export function checkVerifier(
  bytes: Uint8Array,
  options: VerifierOptions,
  piece: number,
): Verified {
  const whole = verifyAll([bytes], options)
  const { verdict, findings, heard } = whole
  const said = { verdict, findings, heard }
  for (const again of [
    verifyAll(piecesOf(bytes, piece), options),
    verifyAll([], options, (verifier) => pushSkipping(verifier, bytes, piece)),
  ]) {
    const saidAgain = { verdict: again.verdict, findings: again.findings, heard: again.heard }
    if (!isDeepStrictEqual(said, saidAgain)) {
      throw new Error(`whole: ${JSON.stringify(said)}, in pieces: ${JSON.stringify(saidAgain)}`)
    }
  }
  for (const { code, offset, rule } of findings) {
    if (!(code in findingCodes) || offset > bytes.length || rule === '') throw new Error(code)
  }
  return whole
}

/** The verifier's first error is the one that the reader stops at. */
export function checkAgreement(
  bytes: Uint8Array,
  form: StreamForm,
  { verdict, findings }: Pick<Verified, 'verdict' | 'findings'>,
): void {
  const first = findings.find(({ severity }) => severity === 'error')
  const said = first === undefined ? verdict.ending : `${first.code} ${first.offset}`
  const reading = readingOf(bytes, form)
  if (mayDiffer(reading, form, first, findings, verdict.records)) return
  if (said !== reading) throw new Error(`${said}, the reader: ${reading}`)
}

function mayDiffer(
  reading: string,
  form: StreamForm,
  first: Finding | undefined,
  findings: readonly Finding[],
  records: number,
): boolean {
  // Legal, but not read by us: the verifier reads on. And libxc's longest record is 128 MiB.
  if (reading.startsWith('unsupported') && findings.some((one) => one.code === 'big-endian')) {
    return true
  }
  if (first?.code === 'too-long') return true
  // The reader judges a body when it is whole, the verifier as it comes.
  const isCut = reading.startsWith('truncated') || reading === 'failover'
  if (isCut && first?.recordIndex === records - 1) return true
  // The reader masks what is no pfn in a dirty list.
  if (first?.record === 'CHECKPOINT_DIRTY_PFN_LIST' && first.code === 'bad-value') return true
  // On the back channel it knows a record of either layer in any place.
  if (form === 'back' && reading === `unknown-record ${first?.offset}`) return true
  // Of one record the reader judges the types of all words ahead of their pfns.
  const ofRecord = findings.filter((one) => one.recordIndex === first?.recordIndex)
  return ofRecord.some(({ code, offset }) => `${code} ${offset}` === reading)
}

/** What Xen's verifier would say, whole, in pieces and skipping. */
export function checkLikeXen(bytes: Uint8Array, form: XenForm, piece: number): XenVerdict {
  const feeds: ((verifier: XenVerifier) => void)[] = [
    (verifier) => verifier.push(bytes, 0, bytes.length),
    (verifier) => {
      for (const one of piecesOf(bytes, piece)) verifier.push(one, 0, one.length)
    },
    (verifier) => pushSkipping(verifier, bytes, piece),
  ]
  const [whole, ...others] = feeds.map((feed) => {
    const verifier = new XenVerifier(form)
    feed(verifier)
    return verifier.finish()
  })
  const other = others.find((one) => !isDeepStrictEqual(one, whole))
  if (whole === undefined || other !== undefined) {
    throw new Error(`${whole?.message}, in pieces: ${other?.message}`)
  }
  if (whole.exit < 0 || whole.exit > 2 || whole.message === '') throw new Error('no verdict')
  return whole
}

/** A back channel against the forward stream of its session. Returns the ending and judgement. */
export function checkBack(bytes: Uint8Array, forward: Uint8Array, piece: number): string {
  const facts: ForwardFacts = verifyAll([forward], { form: 'colo', tracksPfns: true }).verifier
    .forwardFacts
  return checkVerifier(bytes, { form: 'back', forward: facts }, piece).verdict.judgement
}
