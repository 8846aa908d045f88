// What a verifier holds against each header and record: the order, the row, the body, the padding.
// A flaw becomes a finding, is pardoned, and the stream is judged on from where it surely leads.
// Bytes come from stream-verifier.ts.

import { headBytes } from '../body-layout.ts'
import { LIBXC } from '../libxc-records.ts'
import { CONTROL_ID, LIBXL } from '../libxl-records.ts'
import { RECORD_HEADER_BYTES, recordBytes } from '../page-data.ts'
import { OPTIONAL_BIT, lengthAllowed, lengthRuleText } from '../record-spec.ts'
import type { Layer, Place, RecordSpec } from '../record-spec.ts'
import { headersByPlace } from '../stream-headers.ts'
import { StreamOrder } from '../stream-order.ts'
import { defaultLimits } from '../stream-sink.ts'
import { BackRounds } from './back-rounds.ts'
import type { ForwardFacts } from './back-rounds.ts'
import { judgeHead } from './body-stream.ts'
import type { Body, BodyOptions } from './body-stream.ts'
import type { Ending, FindingCode, Severity, Verdict } from './finding.ts'
import { canGoOn, reservedFlaws, swappedDomainHeader } from './header-rules.ts'
import { forms } from './stream-form.ts'
import type { FormName } from './stream-form.ts'
import type { VerifierSink } from './verifier-sink.ts'

/** xen-streams.md, 6.2: its writer counts the record's own structure for its header. */
const STRAY =
  '; Xen 4.18 and later put 8 stray bytes into a dirty list, so that its last pfn is taken for a record'

const BACK_RECORDS = `${LIBXL.CHECKPOINT_STATE.name} or ${LIBXC.CHECKPOINT_DIRTY_PFN_LIST.name}`

const noFields: Body['fields'] & Readonly<Record<string, unknown>> = {}
const noBody: Body = { fields: noFields, tail: undefined, tailBytes: 0 }
/**
 * libxc refuses what is longer; libxl has no limit, but rounds up in 32 bits and so takes the last
 * seven lengths for nothing.
 */
const lengthsMax = { libxl: 0xfffffff8, libxc: defaultLimits.recordBytesMax } as const

export class StreamJudge {
  readonly order: StreamOrder
  readonly counts = { error: 0, sender: 0, note: 0 }
  records = 0
  /** CHECKPOINT_STATE NEWs. */
  news = 0
  checkpointEndBytes = 0
  /** The name of the record or header under way. */
  name = ''
  /** What follows cannot be judged. */
  isLost = false
  /**
   * Whether PAGE_DATA may come next, for sure and in little-endian, so that its order needs no
   * judging.
   */
  arePagesSettled = false
  readonly #sink: VerifierSink
  readonly #bodyOptions: BodyOptions
  readonly #back: BackRounds | undefined
  readonly #isBack: boolean
  readonly #bigEndian = { libxl: false, libxc: false }
  #offset = 0
  #type = 0
  #length = 0
  #layer: Layer = 'libxl'
  #spec: RecordSpec | undefined
  #isRefused = false
  #previous: RecordSpec | undefined
  #fields: Readonly<Record<string, unknown>> = noFields

  constructor(
    form: FormName,
    sink: VerifierSink,
    bodyOptions: BodyOptions,
    forward: ForwardFacts | undefined,
  ) {
    const { form: streamForm, checkpointed } = forms[form]
    this.order = new StreamOrder(streamForm, checkpointed)
    this.#isBack = streamForm === 'back'
    this.#sink = sink
    this.#bodyOptions = bodyOptions
    this.#back = forward && new BackRounds(forward)
  }

  get isBigEndian(): boolean {
    return this.#bigEndian[this.order.layer]
  }

  /** What comes next is this: what a finding names if it does not come. */
  expects(name: string): void {
    this.name = name
    this.#spec = undefined
  }

  /** A finding at `offset` in the stream, or at `at` in the record under way. */
  report(
    severity: Severity,
    code: FindingCode,
    offset: number,
    rule: string,
    found = '',
    section = this.#spec?.section ?? '',
  ): void {
    this.counts[severity]++
    const recordIndex = this.records - 1
    const record = this.name
    this.#sink.finding({ severity, code, offset, recordIndex, record, rule, found, section })
  }

  readonly #reportInRecord = (
    severity: Severity,
    code: FindingCode,
    at: number,
    rule: string,
    found = '',
  ): void => {
    if (severity === 'error') this.#isRefused = true
    this.report(severity, code, this.#offset + at, rule, found)
  }

  /** The header that is due lies at `at`. Returns the bytes to skip behind it. */
  header(bytes: Uint8Array, at: number, offset: number): number {
    const { place } = this.order
    this.name = place
    this.#spec = undefined
    const isSwapped = place === 'domain header' && this.#bigEndian.libxc
    if (isSwapped) [bytes, at] = [swappedDomainHeader(bytes, at), 0]
    const header = headersByPlace[place]?.decode(bytes, at, true)
    if (header === undefined) return 0
    if (header.kind === 'flaw') {
      const code = header.code === 'closed' ? 'bad-header' : header.code
      // A header's rule names its section, in brackets at its end.
      const [, rule = '', section = ''] = /^(.*?)(?: \((\d, [^()]*)\))?$/.exec(header.rule) ?? []
      this.report('error', code, offset + header.at, rule, '', section)
      if (!canGoOn(place, header.at)) this.isLost = true
      else if (place === 'domain header') this.order.passedUnknownDomain()
      return 0
    }
    for (const flaw of reservedFlaws(place, bytes, at)) {
      const section = sectionsOf[place]
      this.report('sender', 'reserved', offset + flaw.at, flaw.rule, flaw.found, section)
    }
    if (header.kind === 'libxl') this.#bigEndian.libxl = header.bigEndian
    if (header.kind === 'image') this.#bigEndian.libxc = header.bigEndian
    if ((header.kind === 'libxl' || header.kind === 'image') && header.bigEndian) {
      const options = offset + (header.kind === 'libxl' ? 12 : 16)
      const rule = 'a big-endian stream is legal, and nothing on x86 reads it'
      this.report('note', 'big-endian', options, rule, '', sectionsOf[place])
    }
    this.order.passedHeader(header)
    this.arePagesSettled = false
    this.#sink.header?.(header, offset)
    return header.kind === 'xl' ? header.optionalBytes : 0
  }

  /**
   * A record begins at `offset`. Returns the bytes of its head that head() wants, or -1 when its
   * body cannot be judged.
   */
  record(type: number, length: number, offset: number): number {
    this.#offset = offset
    this.records++
    this.#type = type
    this.#length = length
    this.#isRefused = false
    this.#fields = noFields
    const layer = this.order.layerOf(type, length)
    this.#layer = this.#isBack ? backLayer(type, layer) : layer
    const spec = this.order.rowOf(this.#layer, type)
    this.#spec = spec
    this.name = spec?.name ?? `0x${type.toString(16)}`
    if (spec === undefined) this.#judgeUnknown(type)
    const lengthMax = lengthsMax[this.#layer]
    if (length > lengthMax) {
      const rule = `body_length must be at most ${lengthMax}, which is what Xen's reader takes`
      this.#reportInRecord('error', 'too-long', 4, rule, String(length))
    }
    // An unknown type and a length beyond belief: these bytes are no record's header.
    if (spec === undefined && type < OPTIONAL_BIT && length > lengthsMax.libxc) this.isLost = true
    if (spec === undefined) return -1
    const flaw = this.order.refuses(spec)
    if (flaw !== undefined) {
      const code = flaw.code === 'closed' ? 'wrong-place' : flaw.code
      this.#reportInRecord('error', code, 0, flaw.rule)
      this.order.pardon(spec)
    }
    if (lengthAllowed(spec.length, length)) return headBytes(spec.layout)
    this.#reportInRecord('error', 'bad-length', 4, lengthRuleText(spec.length), String(length))
    spec.forget?.(this.order.facts)
    return -1
  }

  #judgeUnknown(type: number): void {
    const section = `${this.#layer === 'libxl' ? '2' : '3'}, ${this.#layer} stream`
    if (type < OPTIONAL_BIT) {
      this.#isRefused = true
      const isStray = this.#previous === LIBXC.CHECKPOINT_DIRTY_PFN_LIST && this.#length === 0
      const known = this.#isBack ? BACK_RECORDS : `one of ${this.#layer}`
      const rule = `the type must be ${known}, or optional${isStray ? STRAY : ''}`
      this.report('error', 'unknown-record', this.#offset, rule, this.name, section)
    } else {
      const rule = `${this.#layer === 'libxl' ? 'libxl' : 'a checkpoint of libxc'} does not skip it`
      this.report('note', 'optional-record', this.#offset, rule, this.name, section)
    }
  }

  /** The head of the record under way, at `at`; what is to be judged of its body behind that. */
  head(bytes: Uint8Array, at: number): Body {
    if (this.#spec === undefined) return noBody
    const head = { spec: this.#spec, length: this.#length, bigEndian: this.isBigEndian }
    const { facts } = this.order
    const body = judgeHead(head, bytes, at, facts, this.#reportInRecord, this.#bodyOptions)
    this.#fields = body.fields
    return body
  }

  /** The padding lies at `at`, all of it. */
  padding(bytes: Uint8Array, at: number, count: number): void {
    if (bytes.subarray(at, at + count).every((byte) => byte === 0)) return
    const behind = RECORD_HEADER_BYTES + this.#length
    this.#reportInRecord('sender', 'padding', behind, 'the padding must be zero')
  }

  /** The record under way is whole. */
  passed(): void {
    const { order } = this
    const spec = this.#spec
    const offset = this.#offset
    if (spec === LIBXC.PAGE_DATA) {
      const { count = 0 } = this.#fields
      this.#sink.pageData?.(offset, this.#length, Number(count))
    } else {
      const [name, layer, index] = [this.name, this.#layer, this.records - 1]
      const [type, length, fields] = [this.#type, this.#length, this.#fields]
      this.#sink.record?.({ spec, name, layer, type, offset, index, length, fields })
    }
    this.#previous = spec
    if (spec === undefined) return
    const { controlId } = this.#fields
    if (spec === LIBXL.CHECKPOINT_STATE) {
      if (controlId === CONTROL_ID.NEW) this.news++
      const rule = this.#back?.control(controlId)
      if (rule !== undefined) this.#reportInRecord('error', 'out-of-step', 0, rule)
    }
    if (spec === LIBXC.CHECKPOINT_DIRTY_PFN_LIST) this.#back?.list()
    const { checkpoints } = order
    if (this.#isRefused) order.passedRefused(spec, Number(controlId ?? -1))
    else order.passed(spec)
    if (order.checkpoints > checkpoints)
      this.checkpointEndBytes = offset + recordBytes(this.#length)
    const isPages = spec === LIBXC.PAGE_DATA && !this.isBigEndian
    this.arePagesSettled = isPages && order.refuses(spec) === undefined
  }

  /** A PAGE_DATA without a flaw, where pages are settled: its pages come next. */
  beganPages(): void {
    this.records++
    this.name = LIBXC.PAGE_DATA.name
    this.#spec = LIBXC.PAGE_DATA
  }

  /** It is whole. */
  passedPages(offset: number, length: number, count: number): void {
    this.#sink.pageData?.(offset, length, count)
  }

  /** The bytes have ended, so and after so many. */
  verdict(ending: Ending, bytes: number): Verdict {
    const { order, counts, records, checkpointEndBytes } = this
    if (ending === 'truncated') {
      const rule = `the stream must not end in '${order.place}'`
      this.report('error', 'truncated', bytes, rule, 'end of the stream')
    }
    const rules = ending === 'lost' ? [] : (this.#back?.end() ?? [])
    for (const rule of rules) this.report('error', 'out-of-step', bytes, rule)
    const soft = counts.sender > 0 ? 'sender-invalid' : 'valid'
    const judgement = counts.error > 0 ? 'invalid' : soft
    const { checkpoints } = order
    const findings = { ...counts }
    return { judgement, ending, bytes, records, checkpoints, checkpointEndBytes, findings }
  }
}

const sectionsOf: { readonly [At in Place]?: string } = {
  'libxl header': '2, header',
  'image header': '3, image header',
  'domain header': '3, domain header',
}

/** A record of the back channel is of the layer that has it there, wherever it stands. */
function backLayer(type: number, due: Layer): Layer {
  if (type === LIBXL.CHECKPOINT_STATE.type) return 'libxl'
  return type === LIBXC.CHECKPOINT_DIRTY_PFN_LIST.type ? 'libxc' : due
}
