// The frame of a BER file: heads of elements, what lies in what, and where each must end. Values are read by
// BerReader on top of it. Definite and indefinite lengths look alike from there; depth has a limit, and a length
// is believed only as far as the file really goes.

import { QemuFileReader, type ByteSource } from '../qemu/file/qemu-file.ts'
import { BerError, type BerErrorCode } from './ber-error.ts'
import { SEQUENCE, tagOf, TAG_NUMBER_MAX, type Tag } from './ber-tag.ts'
import { moduleTagName } from './migration-tags.ts'

export interface BerLimits {
  /** Constructed elements inside each other. */
  readonly depthMax: number
  /** Contents of one string, in bytes: it is held whole. */
  readonly stringBytesMax: number
}

export const BER_LIMITS: BerLimits = { depthMax: 128, stringBytesMax: 256 * 1024 * 1024 }

/** What `tag` says where nothing follows: at the end of the open element, or of the file. */
export const END = -1

const INDEFINITE = -1
const NOT_READ = -2
const LENGTH_OCTETS_MAX = 6
/** An announced length is looked for in steps from this size on: no buffer is made for what is not there. */
const STEP_BYTES = 1024 * 1024

interface Open {
  readonly tag: Tag
  /** Where it ends, or INDEFINITE. */
  readonly end: number
  /** Where it ends at the latest: its own end, or that of what it lies in. */
  readonly limit: number
}

export class BerElements {
  readonly #file: QemuFileReader
  protected readonly limits: BerLimits
  readonly #open: Open[] = []
  /** The end of the open element, and what no element may cross. */
  #end = Infinity
  #limit = Infinity
  /** The tag of the head that was read last and not used yet, or NOT_READ, or END. */
  #tag = NOT_READ
  #isConstructed = false
  #length = 0
  #headOffset = 0
  /** The section, block or field being read: errors name it. */
  item = 'file'

  constructor(source: ByteSource, limits: Partial<BerLimits> = {}, bufferBytes?: number) {
    this.#file = new QemuFileReader(source, bufferBytes)
    this.limits = { ...BER_LIMITS, ...limits }
  }

  /** Of the element that comes next, from the start of the file. */
  get offset(): number {
    return this.#tag === NOT_READ ? this.#file.offset : this.#headOffset
  }

  /** The tag of the element that comes next, or END. */
  get tag(): Tag {
    if (this.#tag === NOT_READ) this.#readHead()
    return this.#tag
  }

  /** Of the element whose tag was read last. */
  get isConstructed(): boolean {
    return this.#isConstructed
  }

  /** Whether the open element has more in it. */
  get more(): boolean {
    return this.tag !== END
  }

  /** Goes into a constructed element of this tag. */
  enter(tag: Tag = SEQUENCE): void {
    this.expect(tag)
    if (!this.#isConstructed) {
      throw this.error('bad-value', `${moduleTagName(tag)} must be constructed`)
    }
    if (this.#open.length >= this.limits.depthMax) {
      throw this.error('too-deep', `more than ${this.limits.depthMax} elements lie in each other`)
    }
    const isDefinite = this.#length !== INDEFINITE
    this.#end = isDefinite ? this.#file.offset + this.#length : INDEFINITE
    if (isDefinite) this.#limit = this.#end
    this.#open.push({ tag, end: this.#end, limit: this.#limit })
    this.#tag = NOT_READ
  }

  /** Goes out of the element entered last, which must have been read to its end: 'unexpected' otherwise. */
  leave(): void {
    const { tag } = this
    if (tag !== END) {
      const inside = this.#open.at(-1)
      const where = inside === undefined ? 'the file' : moduleTagName(inside.tag)
      throw this.error('unexpected', `${moduleTagName(tag)} where ${where} should end`)
    }
    this.#open.pop()
    const outer = this.#open.at(-1)
    this.#limit = outer?.limit ?? Infinity
    this.#end = outer?.end ?? Infinity
    this.#tag = NOT_READ
  }

  /** The outermost element has been left, and the file must end here: 'trailing' otherwise. */
  endOfFile(): void {
    if (this.#open.length > 0) this.leave()
    if (this.#tag !== END && !this.#file.atEnd) {
      throw this.error('trailing', 'bytes behind the end of the outermost element')
    }
  }

  /** Goes past the next element, whatever is in it. */
  skip(): void {
    const { tag } = this
    if (tag === END) throw this.error('unexpected', 'nothing is left that could be passed over')
    if (this.#length !== INDEFINITE) {
      this.contentsInSteps(() => {})
      return
    }
    this.enter(tag)
    while (this.more) this.skip()
    this.leave()
  }

  error(code: BerErrorCode, rule: string, offset = this.offset): BerError {
    return new BerError(code, offset, this.item, rule)
  }

  protected expect(tag: Tag): void {
    const found = this.tag
    if (found === tag) return
    const there = found === END ? 'the end' : moduleTagName(found)
    throw this.error('unexpected', `${there} where ${moduleTagName(tag)} should be`)
  }

  /** Expects a primitive element, and returns the length of its contents. */
  protected primitive(tag: Tag): number {
    this.expect(tag)
    if (!this.#isConstructed) return this.#length
    throw this.error('bad-value', `${moduleTagName(tag)} must be primitive`)
  }

  /** The contents of the primitive element whose head was read, where they lie: good until the next call. */
  protected contents(): Uint8Array {
    const length = this.#length
    if (length > this.limits.stringBytesMax) {
      throw this.error('too-long', `a string of more than ${this.limits.stringBytesMax} bytes`)
    }
    for (let step = STEP_BYTES; step < length; step *= 2) {
      if (!this.#file.has(step)) this.#contentsEnd()
    }
    if (!this.#file.has(length)) this.#contentsEnd()
    this.#tag = NOT_READ
    return this.#file.take(length)
  }

  /** The contents piece by piece, of any length: nothing is held. Returns their length. */
  protected contentsInSteps(take: (bytes: Uint8Array) => void): number {
    const length = this.#length
    for (let left = length; left > 0;) {
      const step = Math.min(left, STEP_BYTES)
      if (!this.#file.has(step)) this.#contentsEnd()
      take(this.#file.take(step))
      left -= step
    }
    this.#tag = NOT_READ
    return length
  }

  #contentsEnd(): never {
    const rule = `${this.#length} bytes of contents are announced, and the file ends before`
    throw this.error('truncated', rule)
  }

  #readHead(): void {
    const file = this.#file
    const { offset } = file
    this.#headOffset = offset
    if (offset === this.#end || (this.#open.length === 0 && file.atEnd)) {
      this.#tag = END
      return
    }
    const lead = this.#octet()
    const number = lead & 0x1f
    const tag = tagOf(lead >> 6, number === 0x1f ? this.#longTag() : number)
    this.#isConstructed = (lead & 0x20) !== 0
    this.#length = this.#readLength()
    if (tag === 0) this.#endOfContents()
    else if (this.#length !== INDEFINITE && file.offset + this.#length > this.#limit) {
      const rule = `${moduleTagName(tag)} of ${this.#length} bytes is longer than what it lies in`
      throw this.error('bad-length', rule, offset)
    } else this.#tag = tag
  }

  #endOfContents(): void {
    const isDue = this.#end === INDEFINITE && !this.#isConstructed && this.#length === 0
    if (!isDue) this.#bad('bad-tag', 'end-of-contents where no indefinite length ends')
    this.#tag = END
  }

  #octet(): number {
    const file = this.#file
    if (file.offset >= this.#limit) {
      this.#bad('bad-length', 'the element that this one lies in ends within its head')
    }
    if (!file.has(1)) this.#bad('truncated', 'the file ends where an element is due')
    return file.u8()
  }

  #longTag(): number {
    let number = 0
    let octet = 0x80
    for (let i = 0; (octet & 0x80) !== 0; i++) {
      if (i === 4) this.#bad('bad-tag', `a tag number above ${TAG_NUMBER_MAX}`)
      octet = this.#octet()
      if (i === 0 && octet === 0x80) this.#bad('bad-tag', 'a tag number with a leading zero')
      number = (number << 7) | (octet & 0x7f)
    }
    if (number < 31) this.#bad('bad-tag', `tag number ${number} in the long form`)
    return number
  }

  #readLength(): number {
    const first = this.#octet()
    if (first < 0x80) return first
    if (first === 0x80) {
      if (this.#isConstructed) return INDEFINITE
      this.#bad('bad-length', 'a primitive element of indefinite length')
    }
    const count = first & 0x7f
    if (count > LENGTH_OCTETS_MAX) this.#bad('bad-length', `a length of ${count} octets`)
    let length = 0
    for (let i = 0; i < count; i++) length = length * 256 + this.#octet()
    return length
  }

  #bad(code: BerErrorCode, rule: string): never {
    throw this.error(code, rule, this.#headOffset)
  }
}
