// A push parser for Xen's migration streams: bytes in, in any pieces; records out, judged by their
// rows. Bytes are taken in one of these ways, and the reader is always in one of these modes:
//
//   gather  a unit of known size: a header, a record header, a body with its padding, pfn words. It
//           is parsed in place when the piece holds it whole, else put together in a scratch.
//   pages   the pages of a PAGE_DATA, handed on where they lie.
//   skip    a record that is optional and unknown, or the optional data of an xl file.
//   ended   nothing may follow.
//
// What comes next is the order's to say (stream-order.ts); what a record must be like, its row's.

import { judgeBody } from './body-check.ts'
import { readU32, roundUp8 } from '../bytes/byte-order.ts'
import { LIBXC } from './libxc-records.ts'
import * as pageData from './page-data.ts'
import { PFN_WORD_BYTES } from './page-data.ts'
import { OPTIONAL_BIT, lengthAllowed, lengthRuleText } from './record-spec.ts'
import type { RecordSpec } from './record-spec.ts'
import { Scratch } from '../bytes/scratch.ts'
import { StreamError } from './stream-error.ts'
import type { StreamErrorCode } from './stream-error.ts'
import { headersByPlace } from './stream-headers.ts'
import { StreamOrder } from './stream-order.ts'
import { defaultLimits, exceededLimit, firstRecord } from './stream-sink.ts'
import type {
  ReadRecord,
  StreamLimits,
  StreamOutcome,
  StreamReaderOptions,
  StreamSink,
} from './stream-sink.ts'

type Mode = 'gather' | 'pages' | 'skip' | 'ended'
type Unit = 'header' | 'record header' | 'body' | 'page count' | 'pfn words'

const noBytes = new Uint8Array(0)

export class StreamReader {
  readonly #sink: StreamSink
  readonly #limits: StreamLimits
  readonly #order: StreamOrder
  #mode: Mode = 'gather'
  #unit: Unit = 'header'
  /** Bytes of the unit to gather; or left, of the pages or of what is skipped. */
  #due = 0
  readonly #scratch = new Scratch()
  #unitOffset = 0
  #bytesRead = 0
  #checkpointEndBytes = 0
  #record: ReadRecord = firstRecord
  /** The name of the record or header under way, for errors. */
  #name = ''
  #records = 0
  #pfns = 0
  #closed = false

  constructor(sink: StreamSink, options: StreamReaderOptions) {
    this.#sink = sink
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#order = new StreamOrder(options.form, options.checkpointed ?? 'auto')
    this.#next()
  }

  /** Bytes taken so far, the unit that is being parsed included. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Bytes that the unit being read still lacks: a header, a body, pfn words, or pages. */
  get unitBytesDue(): number {
    return this.#due - this.#scratch.length
  }

  /** Bytes of pages that are still to come of the PAGE_DATA under way; 0 elsewhere. */
  get pageBytesDue(): number {
    return this.#mode === 'pages' ? this.#due : 0
  }

  /** Where the stream is, and what of it is being read: for people. */
  get state(): string {
    const doing = this.#mode === 'gather' ? this.#unit : this.#mode
    return `${this.#order.place}: ${doing}`
  }

  /** Whole checkpoints so far; on the back channel, whole rounds (SVM_RESUMED). */
  get checkpoints(): number {
    return this.#order.checkpoints
  }

  /** The length of the stream up to and with its last whole checkpoint; 0 when there is none. */
  get checkpointEndBytes(): number {
    return this.#checkpointEndBytes
  }

  /**
   * Reads bytes [from, to) of `chunk`, which may be shared memory. Throws the StreamError that was
   * found, or what the sink threw; after that every push throws one of code 'closed'.
   */
  push(chunk: Uint8Array, from = 0, to = chunk.length): void {
    if (this.#closed) throw this.#error('closed', this.#bytesRead, 'the reader takes no more bytes')
    this.#closed = true
    let at = from
    while (at < to) {
      if (this.#mode === 'gather') at += this.#gather(chunk, at, to)
      else at += this.#passOn(chunk, at, to)
    }
    this.#closed = false
  }

  /**
   * What the end of the bytes means here. Throws a StreamError of code 'truncated' when it means
   * nothing good.
   */
  finish(): StreamOutcome {
    if (this.#closed) throw this.#error('closed', this.#bytesRead, 'the reader has failed before')
    this.#closed = true
    if (this.#mode === 'ended') return 'complete'
    if (this.#order.checkpoints > 0) return 'failover'
    throw this.#error('truncated', this.#bytesRead, `the stream ends in '${this.state}'`)
  }

  #gather(chunk: Uint8Array, at: number, to: number): number {
    const scratch = this.#scratch
    if (scratch.length === 0) this.#unitOffset = this.#bytesRead
    const taken = scratch.take(chunk, at, to, this.#due)
    this.#bytesRead += taken
    if (scratch.unit !== undefined) this.#parse(scratch.unit, scratch.unitAt)
    return taken
  }

  #passOn(chunk: Uint8Array, at: number, to: number): number {
    if (this.#mode === 'ended') {
      throw this.#error('trailing-bytes', this.#bytesRead, 'nothing may follow the last END')
    }
    const taken = Math.min(to - at, this.#due)
    this.#bytesRead += taken
    this.#due -= taken
    if (this.#mode === 'pages') this.#sink.pageBytes(chunk, at, at + taken)
    if (this.#due === 0) this.#next()
    return taken
  }

  #parse(bytes: Uint8Array, at: number): void {
    switch (this.#unit) {
      case 'header':
        return this.#parseHeader(bytes, at)
      case 'record header':
        return this.#parseRecordHeader(readU32(bytes, at), readU32(bytes, at + 4))
      case 'body':
        return this.#parseBody(bytes.subarray(at, at + this.#record.length))
      case 'page count':
        return this.#parsePageCount(readU32(bytes, at))
      case 'pfn words':
        return this.#parsePfnWords(bytes.subarray(at, at + this.#due))
    }
  }

  #parseHeader(bytes: Uint8Array, at: number): void {
    const header = headersByPlace[this.#order.place]?.decode(bytes, at)
    if (header === undefined) return this.#next()
    if (header.kind === 'flaw') {
      throw this.#error(header.code, this.#unitOffset + header.at, header.rule)
    }
    this.#order.passedHeader(header)
    this.#sink.header?.(header, this.#unitOffset)
    if (header.kind === 'xl') this.#skip(header.optionalBytes)
    else this.#next()
  }

  #parseRecordHeader(type: number, length: number): void {
    const offset = this.#unitOffset
    const index = this.#records++
    const layer = this.#order.layerOf(type, length)
    const spec = this.#order.rowOf(layer, type)
    this.#name = spec?.name ?? `0x${type.toString(16)}`
    if (spec === undefined && type < OPTIONAL_BIT) {
      const rule = `not a record of ${layer}, and not optional (${layer}, record types)`
      throw this.#error('unknown-record', offset, rule)
    }
    const limit = exceededLimit(this.#limits, spec, length)
    if (limit !== undefined) {
      throw this.#error('too-long', offset + 4, `body_length ${length} exceeds ${limit}`)
    }
    if (spec === undefined) return this.#skip(roundUp8(length))
    this.#record = { spec, layer, type, offset, index, length, body: noBytes }
    this.#admit(spec, offset, length)
    if (spec === LIBXC.PAGE_DATA) {
      this.#await('page count', pageData.PAGE_DATA_HEADER_BYTES)
    } else if (length === 0) {
      this.#parseBody(noBytes)
    } else {
      this.#await('body', roundUp8(length))
    }
  }

  /**
   * Everything that a record's header can be refused for; nothing has been allocated for it by
   * then.
   */
  #admit(spec: RecordSpec, offset: number, length: number): void {
    const flaw = this.#order.refuses(spec)
    if (flaw !== undefined) throw this.#error(flaw.code, offset, `${flaw.rule} (${spec.section})`)
    if (!lengthAllowed(spec.length, length)) {
      const rule = `${lengthRuleText(spec.length)}, not ${length} (${spec.section})`
      throw this.#error('bad-length', offset + 4, rule)
    }
  }

  #parseBody(body: Uint8Array): void {
    const { spec, offset, length } = this.#record
    const flaw = judgeBody(spec, body, this.#order.facts)
    if (flaw !== undefined) {
      const at = offset + pageData.RECORD_HEADER_BYTES + flaw.at
      throw this.#error(flaw.code, at, `${flaw.rule} (${spec.section})`)
    }
    const checkpoints = this.#order.checkpoints
    this.#order.passed(spec)
    if (this.#order.checkpoints > checkpoints) {
      this.#checkpointEndBytes = offset + pageData.recordBytes(length)
    }
    this.#sink.record(length === 0 ? this.#record : { ...this.#record, body })
    this.#next()
  }

  #parsePageCount(count: number): void {
    const { length, spec } = this.#record
    if (count > this.#limits.pfnsMax) {
      const rule = `the count ${count} exceeds the limit of ${this.#limits.pfnsMax} pfns`
      throw this.#error('too-long', this.#unitOffset, rule)
    }
    if (count === 0 || pageData.pageDataBytes(count, 0) > length) {
      const rule = `the count must be at least 1, with a pfn word for each (${spec.section})`
      throw this.#error('bad-value', this.#unitOffset, rule)
    }
    this.#pfns = count
    this.#await('pfn words', count * PFN_WORD_BYTES)
  }

  #parsePfnWords(words: Uint8Array): void {
    const { length, offset, spec } = this.#record
    const count = this.#pfns
    const { pfnHighest } = this.#order.facts
    const dataPages = pageData.countDataPages(words, count)
    if (dataPages < 0) {
      const rule = `page types 5 to 8 are reserved (${spec.section})`
      throw this.#error('bad-page-type', this.#unitOffset + (-1 - dataPages) * PFN_WORD_BYTES, rule)
    }
    const beyond = pageData.findPfnBeyond(words, count, pfnHighest)
    if (beyond >= 0) {
      const rule = `the pfn lies beyond ${pfnHighest}, the last in X86_PV_P2M_FRAMES`
      throw this.#error('bad-value', this.#unitOffset + beyond * PFN_WORD_BYTES, rule)
    }
    const due = pageData.pageDataBytes(count, dataPages)
    if (due !== length) {
      const rule = `${count} pfns, ${dataPages} pages take ${due}, not ${length} (${spec.section})`
      throw this.#error('bad-length', offset + 4, rule)
    }
    this.#order.passed(spec)
    this.#sink.pageData(this.#record, count, words, dataPages)
    this.#due = dataPages * pageData.PAGE_BYTES
    this.#mode = 'pages'
    if (dataPages === 0) this.#next()
  }

  #next(): void {
    const { place } = this.#order
    const header = headersByPlace[place]
    if (place === 'ended') this.#mode = 'ended'
    else if (header !== undefined) this.#await('header', header.bytes)
    else this.#await('record header', pageData.RECORD_HEADER_BYTES)
    this.#name = header === undefined ? 'record header' : place
  }

  #await(unit: Unit, bytes: number): void {
    this.#mode = 'gather'
    this.#unit = unit
    this.#due = bytes
  }

  #skip(bytes: number): void {
    this.#mode = 'skip'
    this.#due = bytes
    if (bytes === 0) this.#next()
  }

  #error(code: StreamErrorCode, offset: number, rule: string): StreamError {
    return new StreamError(
      code,
      { offset, recordIndex: this.#records - 1, record: this.#name },
      rule,
    )
  }
}
