// A push verifier for Xen's streams: bytes in, in any pieces; findings out, all of them. Where a
// reader stops at the first flaw, this goes on at the next record as long as it is sure where that
// is. It is always in one of these steps:
//
//   form      how it begins, which says what kind of stream it is: see stream-opening.ts
//   header    one of the headers
//   record    a record's header
//   head      the fixed fields of a body
//   tail      its list, payload or pfn words, as they come
//   skip      what need not be looked at: pages, blobs, bodies that are not understood
//   padding   to a multiple of eight
//   end       nothing more is judged, behind the last END or because it is lost
//
// Memory is the same whatever the stream: nothing longer than a header is ever held. What is wrong
// with a unit is stream-judge.ts's to say.

import { readU32, readU32BigEndian, roundUp8 } from '../../bytes/byte-order.ts'
import { RECORD_HEADER_BYTES } from '../page-data.ts'
import { headersByPlace } from '../stream-headers.ts'
import type { ForwardFacts } from './back-rounds.ts'
import type { Ending, Verdict } from './finding.ts'
import { PageRun } from './page-run.ts'
import type { FormName } from './stream-form.ts'
import { StreamJudge } from './stream-judge.ts'
import { LEAD_NAME, StreamOpening } from './stream-opening.ts'
import type { TailJudge } from './tail-judges.ts'
import type { VerifierOptions, VerifierSink } from './verifier-sink.ts'

type Step = 'form' | 'header' | 'record' | 'head' | 'tail' | 'skip' | 'padding' | 'end'

/** The longest unit that is held is a header; a body's head and the element of a list are shorter. */
const SCRATCH_BYTES = 64

export class StreamVerifier {
  readonly #sink: VerifierSink
  readonly #options: VerifierOptions
  #judge: StreamJudge
  #run: PageRun
  readonly #opening: StreamOpening
  #step: Step = 'form'
  /** What is gathered of a unit that came in pieces. */
  readonly #scratch = new Uint8Array(SCRATCH_BYTES)
  #gathered = 0
  /** Bytes of the unit; or left, of what is skipped or judged piece by piece. */
  #due = 0
  #bytes = 0
  #unitOffset = 0
  #pfnSeen = -1
  #seen: ((pfn: number) => void) | undefined
  #hasTrailing = false
  /** Of the body under way: its length, its tail, and the bytes behind that. */
  #length = 0
  #tail: TailJudge | undefined
  #rest = 0
  #padding = 0
  #inRecord = false

  constructor(sink: VerifierSink, options: VerifierOptions = {}) {
    this.#sink = sink
    this.#options = options
    const { form = 'auto' } = options
    if (options.tracksPfns === true) {
      this.#seen = (pfn) => {
        this.#pfnSeen = Math.max(this.#pfnSeen, pfn)
      }
    }
    this.#opening = new StreamOpening(form)
    this.#judge = this.#judgeOf(form === 'auto' ? 'libxl' : form)
    this.#run = new PageRun(this.#judge, this.#seen)
    this.#judge.expects('header')
  }

  #judgeOf(form: FormName): StreamJudge {
    const { forward } = this.#options
    const dirtyHighest = forward?.pfnHighest ?? Infinity
    return new StreamJudge(form, this.#sink, { seen: this.#seen, dirtyHighest }, forward)
  }

  /** What the stream was found or said to be. */
  get form(): FormName | undefined {
    return this.#opening.form
  }

  /** Bytes that come next and need not be looked at: whoever can may skip() them. */
  get skippable(): number {
    return this.#step === 'skip' ? this.#due : 0
  }

  /** Whether nothing more that comes can change the verdict. */
  get isDone(): boolean {
    return this.#step === 'end' && (this.#judge.isLost || this.#hasTrailing)
  }

  /** What a back channel of the same session is held against; the pfns only with `tracksPfns`. */
  get forwardFacts(): ForwardFacts {
    const { news, order } = this.#judge
    return { checkpoints: order.checkpoints, news, pfnHighest: this.#pfnSeen }
  }

  /** Passes over at most `skippable` bytes, which are not shown. Throws a RangeError beyond that. */
  skip(bytes: number): void {
    if (bytes > this.skippable) throw new RangeError(`only ${this.skippable} bytes can be skipped`)
    this.#skipped(bytes)
  }

  /** The bytes [from, to) of `chunk`, the next ones of the stream. */
  push(chunk: Uint8Array, from = 0, to = chunk.length): void {
    let at = from
    while (at < to) at += this.#take(chunk, at, to)
  }

  /** The bytes have ended. */
  finish(): Verdict {
    this.#opening.end()
    if (this.#step === 'form') this.#open()
    return this.#judge.verdict(this.#endingHere(), this.#bytes)
  }

  #endingHere(): Ending {
    if (this.#judge.isLost) return 'lost'
    if (this.#step === 'end') return 'complete'
    return this.#judge.order.checkpoints > 0 ? 'failover' : 'truncated'
  }

  /** Returns how many bytes it took. */
  #take(chunk: Uint8Array, at: number, to: number): number {
    if (this.#step === 'form') {
      const taken = this.#opening.push(chunk, at, to)
      if (this.#opening.form !== undefined) this.#open()
      return taken
    }
    if (this.#step === 'skip') {
      const taken = Math.min(to - at, this.#due)
      this.#skipped(taken)
      return taken
    }
    if (this.#step === 'end') return this.#takeTrailing(to - at)
    if (this.#step === 'tail') return this.#takeTail(chunk, at, to)
    if (this.#step === 'record' && this.#judge.arePagesSettled && this.#gathered === 0) {
      const taken = this.#takePages(chunk, at, to)
      if (taken > 0) return taken
    }
    return this.#gather(chunk, at, to)
  }

  #gather(chunk: Uint8Array, at: number, to: number): number {
    const due = this.#due
    if (this.#gathered === 0) this.#unitOffset = this.#bytes
    const taken = Math.min(to - at, due - this.#gathered)
    this.#bytes += taken
    if (taken === due) {
      this.#parse(chunk, at)
      return taken
    }
    this.#scratch.set(chunk.subarray(at, at + taken), this.#gathered)
    this.#gathered += taken
    if (this.#gathered === due) {
      this.#gathered = 0
      this.#parse(this.#scratch, 0)
    }
    return taken
  }

  #parse(bytes: Uint8Array, at: number): void {
    const judge = this.#judge
    switch (this.#step) {
      case 'header':
        this.#inRecord = false
        return this.#skipThen(judge.header(bytes, at, this.#unitOffset), 0)
      case 'record':
        return this.#parseRecord(bytes, at)
      case 'head':
        return this.#parseHead(bytes, at)
      default:
        judge.padding(bytes, at, this.#due)
        judge.passed()
        this.#next()
    }
  }

  /** The bytes that said what it is are its first as well. */
  #open(): void {
    const { form, lead, flaw, held } = this.#opening
    this.#bytes = form === undefined ? held.length : lead
    if (form === undefined) return
    this.#judge = this.#judgeOf(form)
    this.#run = new PageRun(this.#judge, this.#seen)
    this.#judge.expects(LEAD_NAME)
    if (flaw !== undefined) this.#judge.report(flaw.severity, flaw.code, 0, flaw.rule, flaw.found)
    this.#next()
    this.push(held)
  }

  #parseRecord(bytes: Uint8Array, at: number): void {
    const read = this.#judge.isBigEndian ? readU32BigEndian : readU32
    const length = read(bytes, at + 4)
    this.#inRecord = true
    const head = this.#judge.record(read(bytes, at), length, this.#unitOffset)
    this.#length = length
    if (this.#judge.isLost) this.#step = 'end'
    else if (head < 0) this.#skipThen(length, roundUp8(length) - length)
    else if (head > 0) this.#await('head', head)
    else this.#parseHead(bytes, at)
  }

  #parseHead(bytes: Uint8Array, at: number): void {
    const head = this.#step === 'head' ? this.#due : 0
    const { tail, tailBytes } = this.#judge.head(bytes, at)
    this.#tail = tail
    this.#rest = this.#length - head - tailBytes
    this.#step = 'tail'
    this.#due = tailBytes
    if (tailBytes === 0) this.#endTail()
  }

  #takeTail(chunk: Uint8Array, at: number, to: number): number {
    const size = this.#tail?.itemBytes ?? 1
    let taken = Math.min(to - at, this.#due)
    if (this.#gathered === 0 && taken >= size) {
      taken -= taken % size
      this.#bytes += taken
      this.#due -= taken
      this.#tail?.take(chunk, at, taken / size)
    } else {
      taken = Math.min(taken, size - this.#gathered)
      this.#scratch.set(chunk.subarray(at, at + taken), this.#gathered)
      this.#bytes += taken
      this.#due -= taken
      this.#gathered = (this.#gathered + taken) % size
      if (this.#gathered === 0) this.#tail?.take(this.#scratch, 0, 1)
    }
    if (this.#due === 0) this.#endTail()
    return taken
  }

  #endTail(): void {
    this.#tail?.end()
    this.#tail = undefined
    this.#skipThen(this.#rest, roundUp8(this.#length) - this.#length)
  }

  /** PAGE_DATAs without a flaw, of which there are many: see page-run.ts. Returns the bytes taken. */
  #takePages(chunk: Uint8Array, at: number, to: number): number {
    const run = this.#run
    run.take(chunk, at, to, this.#bytes)
    this.#bytes += run.taken
    if (run.pagesLeft > 0) {
      this.#inRecord = false
      this.#step = 'skip'
      this.#due = run.pagesLeft
    } else if (run.taken > 0) this.#judge.expects('record header')
    return run.taken
  }

  #skipThen(bytes: number, padding: number): void {
    this.#padding = padding
    this.#step = 'skip'
    this.#due = bytes
    if (bytes === 0) this.#endSkip()
  }

  #skipped(bytes: number): void {
    this.#bytes += bytes
    this.#due -= bytes
    if (this.#due === 0) this.#endSkip()
  }

  #endSkip(): void {
    if (this.#inRecord) {
      if (this.#padding > 0) return this.#await('padding', this.#padding)
      this.#judge.passed()
    } else this.#run.skipped()
    this.#next()
  }

  #takeTrailing(bytes: number): number {
    if (!this.#judge.isLost && !this.#hasTrailing) {
      this.#hasTrailing = true
      const rule = 'nothing may follow the last END'
      this.#judge.report('error', 'trailing-bytes', this.#bytes, rule)
    }
    return bytes
  }

  #next(): void {
    const { place } = this.#judge.order
    const header = headersByPlace[place]
    this.#inRecord = header === undefined
    if (this.#judge.isLost || place === 'ended') this.#step = 'end'
    else if (header !== undefined) this.#await('header', header.bytes)
    else this.#await('record', RECORD_HEADER_BYTES)
    this.#judge.expects(header === undefined ? 'record header' : place)
  }

  #await(step: Step, bytes: number): void {
    this.#step = step
    this.#due = bytes
  }
}
