// What Xen 4.17's verify-stream-v2 would say of a stream: the same exit code, the same last line, its
// quirks included. It knows no order of records and no checkpoints, and it ends at the first flaw.
// A body's flaw counts only when all of the body is there and its padding is zero, as there it is
// read first and looked at then; here it is found on the way and kept until then, so that memory
// does not grow with the body. What it says word for word is in xen-rules.ts.

import { readU32, readU32BigEndian, roundUp8 } from '../../bytes/byte-order.ts'
import { LIBXC } from '../libxc-records.ts'
import { LIBXL } from '../libxl-records.ts'
import { PAGE_BYTES, PAGE_DATA_HEADER_BYTES, PFN_WORD_BYTES } from '../page-data.ts'
import {
  DOMAIN_HEADER_BYTES,
  IMAGE_HEADER_BYTES,
  LIBXL_HEADER_BYTES,
  XL_HEADER_BYTES,
} from '../stream-headers.ts'
import { pagesOfCleanWords } from './page-words.ts'
import * as rules from './xen-rules.ts'
import { Scratch } from '../../bytes/scratch.ts'
import type { XenVerdict } from './xen-rules.ts'

/** The forms that it can be told of. */
export type XenForm = 'libxl' | 'libxc' | 'xl'

type Step =
  | 'xl magic'
  | 'xl flags'
  | 'libxl header'
  | 'image header'
  | 'domain header'
  | 'record'
  | 'head'
  | 'words'
  | 'skip'
  | 'padding'
  | 'end'

const XL_STREAM_V2 = 0x2

export class XenVerifier {
  #step: Step
  #due = 0
  readonly #scratch = new Scratch()
  #verdict: XenVerdict | undefined
  #layer: 'libxl' | 'libxc' = 'libxl'
  #imageVersion = 0
  /** Whether the libxc image lies inside a libxl stream. */
  #libxlAround: boolean
  /** What comes when the bytes are skipped. */
  #then: Step = 'record'

  // The record under way.
  #type = 0
  #length = 0
  #count = 0
  #wordsJudged = 0
  #pages = 0
  #flaw: XenVerdict | undefined

  constructor(form: XenForm) {
    this.#libxlAround = form === 'libxl'
    this.#step = 'record'
    if (form === 'xl') this.#await('xl magic', rules.XL_MAGIC_BYTES)
    else if (form === 'libxl') this.#await('libxl header', LIBXL_HEADER_BYTES)
    else this.#await('image header', IMAGE_HEADER_BYTES)
  }

  /** Bytes that come next and need not be looked at. */
  get skippable(): number {
    return this.#step === 'skip' ? this.#due : 0
  }

  /** Whether nothing more that comes can change the verdict. */
  get isDone(): boolean {
    return this.#verdict !== undefined
  }

  /** Passes over at most `skippable` bytes. */
  skip(bytes: number): void {
    if (bytes > this.skippable) throw new RangeError(`only ${this.skippable} bytes can be skipped`)
    this.#skipped(bytes)
  }

  /** The bytes [from, to) of `chunk`, the next ones of the stream. */
  push(chunk: Uint8Array, from = 0, to = chunk.length): void {
    let at = from
    while (at < to && this.#verdict === undefined) at += this.#take(chunk, at, to)
  }

  /** The bytes have ended. */
  finish(): XenVerdict {
    return this.#verdict ?? rules.xenTruncated
  }

  #take(chunk: Uint8Array, at: number, to: number): number {
    if (this.#step === 'skip') {
      const taken = Math.min(to - at, this.#due)
      this.#skipped(taken)
      return taken
    }
    if (this.#step === 'words' && this.#scratch.length === 0 && to - at >= PFN_WORD_BYTES) {
      const taken = Math.min(to - at, this.#due)
      const count = Math.floor(taken / PFN_WORD_BYTES)
      this.#due -= count * PFN_WORD_BYTES
      this.#judgeWords(chunk, at, count)
      return count * PFN_WORD_BYTES
    }
    return this.#gather(chunk, at, to)
  }

  #gather(chunk: Uint8Array, at: number, to: number): number {
    const due = this.#step === 'words' ? PFN_WORD_BYTES : this.#due
    const scratch = this.#scratch
    const taken = scratch.take(chunk, at, to, due)
    if (scratch.unit !== undefined) this.#parse(scratch.unit, scratch.unitAt)
    return taken
  }

  #parse(bytes: Uint8Array, at: number): void {
    switch (this.#step) {
      case 'xl magic':
        if (this.#passes(rules.xlMagicRule(bytes, at))) {
          this.#await('xl flags', XL_HEADER_BYTES - rules.XL_MAGIC_BYTES)
        }
        return
      case 'xl flags':
        return this.#openXl(readU32(bytes, at + 4), readU32(bytes, at + 12))
      case 'libxl header':
        if (this.#passes(rules.libxlHeaderRule(bytes, at))) this.#records('libxl')
        return
      case 'image header':
        if (!this.#passes(rules.imageHeaderRule(bytes, at))) return
        this.#imageVersion = readU32BigEndian(bytes, at + 12)
        return this.#await('domain header', DOMAIN_HEADER_BYTES)
      case 'domain header':
        if (this.#passes(rules.domainHeaderRule(bytes, at))) this.#records('libxc')
        return
      case 'record':
        return this.#startRecord(readU32(bytes, at), readU32(bytes, at + 4))
      case 'head':
        return this.#parseHead(bytes, at)
      case 'words':
        this.#due -= PFN_WORD_BYTES
        return this.#judgeWords(bytes, at, 1)
      default:
        return this.#endBody(bytes, at)
    }
  }

  #passes(flaw: XenVerdict | undefined): boolean {
    this.#verdict = flaw
    return flaw === undefined
  }

  #openXl(mandatory: number, optionalBytes: number): void {
    this.#libxlAround = (mandatory & XL_STREAM_V2) !== 0
    this.#skipTo(optionalBytes, this.#libxlAround ? 'libxl header' : 'image header')
  }

  #records(layer: 'libxl' | 'libxc'): void {
    this.#layer = layer
    this.#await('record', PFN_WORD_BYTES)
  }

  #startRecord(type: number, length: number): void {
    const layer = this.#layer
    if (!rules.xenBodyRules[layer].has(type)) {
      const shown = `${layer === 'libxc' ? '0x' : ''}${type.toString(16)}`
      this.#verdict = rules.streamError(`Unrecognised record type ${shown}`)
      return
    }
    this.#type = type
    this.#length = length
    this.#flaw = undefined
    const head = this.#isPages ? PAGE_DATA_HEADER_BYTES : rules.HEAD_BYTES
    this.#await('head', Math.min(length, head))
    if (length === 0) this.#parseHead(this.#scratch.bytes, 0)
  }

  get #isPages(): boolean {
    return this.#layer === 'libxc' && this.#type === LIBXC.PAGE_DATA.type
  }

  #parseHead(bytes: Uint8Array, at: number): void {
    const rest = this.#length - this.#due
    const rule = rules.xenBodyRules[this.#layer].get(this.#type)
    this.#flaw = rule?.(bytes, at, this.#length, this.#imageVersion)
    const words = this.#isPages ? this.#startPages(bytes, at) : 0
    if (words === 0) this.#skipTo(rest, 'padding')
    else this.#await('words', words * PFN_WORD_BYTES)
  }

  /** Returns the words that are to be judged. */
  #startPages(bytes: Uint8Array, at: number): number {
    const length = this.#length
    if (length <= PAGE_DATA_HEADER_BYTES) {
      this.#flaw = rules.recordError('PAGE_DATA record must be at least 8 bytes long')
      return 0
    }
    const reserved = readU32(bytes, at + 4)
    if (reserved !== 0) {
      const shown = reserved.toString(16).padStart(4, '0')
      this.#flaw = rules.streamError(`Reserved bits set in PAGE_DATA record 0x${shown}`)
      return 0
    }
    const count = readU32(bytes, at)
    if (count * PFN_WORD_BYTES > length - PAGE_DATA_HEADER_BYTES) {
      const words = 'PAGE_DATA record must contain a pfn record for each count'
      this.#flaw = rules.recordError(words)
      return 0
    }
    this.#count = count
    this.#wordsJudged = 0
    this.#pages = 0
    if (count === 0) this.#judgeLength()
    return count
  }

  #judgeWords(bytes: Uint8Array, at: number, count: number): void {
    if (this.#flaw === undefined) {
      const pages = pagesOfCleanWords(bytes, at, count)
      if (pages >= 0) this.#pages += pages
      else this.#flaw = rules.flawOfWords(bytes, at, count, this.#wordsJudged)
    }
    this.#wordsJudged += count
    if (this.#due > 0) return
    if (this.#flaw === undefined) this.#judgeLength()
    const words = this.#count * PFN_WORD_BYTES
    this.#skipTo(this.#length - PAGE_DATA_HEADER_BYTES - words, 'padding')
  }

  #judgeLength(): void {
    const [words, pages] = [this.#count * PFN_WORD_BYTES, this.#pages * PAGE_BYTES]
    if (PAGE_DATA_HEADER_BYTES + words + pages === this.#length) return
    this.#flaw = rules.recordError(`Expected 8 + ${words} + ${pages}, got ${this.#length}`)
  }

  /** All of the body is there; its padding lies at `at`. */
  #endBody(bytes: Uint8Array, at: number): void {
    const padding = bytes.subarray(at, at + this.#due)
    if (padding.some((byte) => byte !== 0)) {
      this.#verdict = rules.streamError('Padding containing non0 bytes found')
    } else {
      this.#endRecord()
    }
  }

  #endRecord(): void {
    if (!this.#passes(this.#flaw)) return
    if (this.#layer === 'libxl') {
      if (this.#type === LIBXL.END.type) this.#verdict = rules.xenOk
      else if (this.#type !== LIBXL.LIBXC_CONTEXT.type) this.#records('libxl')
      else this.#await('image header', IMAGE_HEADER_BYTES)
    } else if (this.#type !== LIBXC.END.type) this.#records('libxc')
    else if (this.#libxlAround) this.#records('libxl')
    else this.#verdict = rules.xenOk
  }

  #skipTo(bytes: number, then: Step): void {
    this.#then = then
    this.#await('skip', bytes)
    if (bytes === 0) this.#endSkip()
  }

  #skipped(bytes: number): void {
    this.#due -= bytes
    if (this.#due === 0) this.#endSkip()
  }

  #endSkip(): void {
    if (this.#then === 'libxl header') return this.#await('libxl header', LIBXL_HEADER_BYTES)
    if (this.#then === 'image header') return this.#await('image header', IMAGE_HEADER_BYTES)
    const padding = roundUp8(this.#length) - this.#length
    if (padding > 0) this.#await('padding', padding)
    else this.#endRecord()
  }

  #await(step: Step, bytes: number): void {
    this.#step = step
    this.#due = bytes
  }
}
