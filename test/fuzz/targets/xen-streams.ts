// Xen's streams: reader, verifier in all its forms, the verdict of Xen's own verifier. The first two bytes of an
// input say what is asked and how the stream is cut; the stream follows.

import {
  checkAgreement,
  checkBack,
  checkLikeXen,
  checkReader,
  checkVerifier,
} from '../../formats/stream-checks.ts'
import * as streams from '../../formats/streams.ts'
import { encodeXlHeader } from '../../../formats/xen/stream-headers.ts'
import type { StreamReaderOptions } from '../../../formats/xen/stream-sink.ts'
import { forms, type FormName } from '../../../formats/xen/verify/stream-form.ts'
import type { XenForm } from '../../../formats/xen/verify/xen-verdict.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

type Question = (bytes: Uint8Array, piece: number) => string

const FORM_NAMES = Object.keys(forms) as FormName[]
const XEN_FORMS: readonly XenForm[] = ['libxl', 'libxc', 'xl']

const asVerifier =
  (form: FormName | 'auto'): Question =>
  (bytes, piece) =>
    checkVerifier(bytes, { form }, piece).verdict.ending

const asReader =
  (options: StreamReaderOptions): Question =>
  (bytes, piece) =>
    checkReader(bytes, options, piece)

const asBoth =
  (form: 'libxl' | 'libxc' | 'xl' | 'back'): Question =>
  (bytes, piece) => {
    const verified = checkVerifier(bytes, { form }, piece)
    checkAgreement(bytes, form, verified)
    return verified.findings[0]?.code ?? verified.verdict.ending
  }

const asXen =
  (form: XenForm): Question =>
  (bytes, piece) =>
    checkLikeXen(bytes, form, piece).message.split(' ', 2).join(' ')

/** Two bytes, little-endian, for the length of the forward stream, which lies ahead. */
const asPair: Question = (bytes, piece) => {
  const length = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)
  return checkBack(bytes.subarray(2 + length), bytes.subarray(2, 2 + length), piece)
}

const QUESTIONS: readonly Question[] = [
  ...(['libxl', 'libxc', 'xl', 'back'] as const).map(asBoth),
  ...(['auto', ...FORM_NAMES] as const).map(asVerifier),
  ...XEN_FORMS.map(asXen),
  asReader({ form: 'libxl' }),
  asReader({ form: 'libxl', checkpointed: 'colo' }),
  asReader({ form: 'libxl', checkpointed: 'none' }),
  asReader({ form: 'back' }),
  asPair,
]

const PIECES = [1, 7, 8, 13, 24, 100, 900, 4099]

function asked(question: Question, piece: number, parts: readonly Uint8Array[]): Uint8Array {
  const head = Uint8Array.of(QUESTIONS.indexOf(question), piece)
  return streams.join([head, ...parts])
}

/** With each question but that for a pair. */
function askedEachWay(stream: Uint8Array): Uint8Array[] {
  return QUESTIONS.slice(0, -1).map((question, piece) => asked(question, piece, [stream]))
}

/** The small records alone: pages would be most of an input, and nothing in them is looked at. */
const bare = (parts: readonly Uint8Array[]) => parts.filter(({ length }) => length < 6000)

function seeds(): Uint8Array[] {
  const sources: readonly (readonly Uint8Array[])[] = [
    bare(streams.plainStream()),
    streams.plainStream().slice(0, 10),
    bare(streams.checkpointedStream('colo', 2)),
    bare(streams.checkpointedStream('remus', 2)),
    bare(streams.pvStream()),
    bare(streams.plainStream().slice(2, -3)),
    [encodeXlHeader(), ...bare(streams.plainStream())],
    streams.backStream(2),
  ]
  const pair = (() => {
    const forward = streams.join(bare(streams.checkpointedStream('colo', 2)))
    const length = Uint8Array.of(forward.length & 0xff, forward.length >> 8)
    return asked(asPair, 3, [length, forward, ...streams.backStream(1)])
  })()
  return [pair, ...sources.flatMap((parts) => askedEachWay(streams.join(parts)))]
}

export const target: FuzzTarget = {
  name: 'xen',
  what: 'streams of Xen, before the reader, the verifier and the verdict of Xen',
  inputBytesMax: 16 * 1024,
  bounds: { steps: 20_000, stepsPerByte: 200, allocated: 1 << 20, allocatedPerByte: 64 },
  seeds,
  ask: askedEachWay,
  run(bytes) {
    const question = QUESTIONS[(bytes[0] ?? 0) % QUESTIONS.length]
    const piece = PIECES[(bytes[1] ?? 0) % PIECES.length]
    return question?.(bytes.subarray(2), piece ?? 1) ?? ''
  },
}
