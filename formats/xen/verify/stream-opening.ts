// How a stream begins, held until it is known what it is and where it begins. A stream that was taken down from a pipe
// may have text ahead of it: xl says a line over the pipe that becomes COLO's back channel, and a login shell behind
// ssh says what it likes. That is told with the byte at which the stream begins, and the stream is judged from there:
// "no libxl header" of a stream that has one helps nobody.

import type { FindingCode, Severity } from './finding.ts'
import { FORM_BYTES, beginsAs, formOf, forms, openings } from './stream-form.ts'
import type { FormName } from './stream-form.ts'

/** What xl's receiver says first, on the pipe that then carries the back channel (xen-streams.md, 4). */
export const XL_BANNER = 'xl migration receiver ready, send binary domain data.\n'

/** What a finding calls it. */
export const LEAD_NAME = 'text ahead'

/** How much text is looked through; it consists of whole lines. */
const LEAD_BYTES_MAX = 4096
const OPENING_BYTES_MAX = Math.max(...openings.map(({ bytes }) => bytes.length))
/** What text has below the space: bell, backspace, tab, line feed, carriage return, escape. */
const CONTROLS: readonly number[] = [0x07, 0x08, 0x09, 0x0a, 0x0d, 0x1b]
const LINE_FEED = 0x0a
const SPACE = 0x20
/** In no text of any encoding in use; the marker of an image consists of it. */
const NO_TEXT = 0xff

const bannerBytes = Uint8Array.from(XL_BANNER, (char) => char.charCodeAt(0))

function isText(byte: number): boolean {
  return byte >= SPACE ? byte !== NO_TEXT : CONTROLS.includes(byte)
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array | readonly number[]): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at
  }
  return -1
}

interface LeadFlaw {
  readonly severity: Severity
  readonly code: FindingCode
  readonly rule: string
  readonly found: string
}

export class StreamOpening {
  readonly #wanted: FormName | 'auto'
  readonly #held = new Uint8Array(LEAD_BYTES_MAX)
  #length = 0
  #form: FormName | undefined
  #lead = 0
  /** So many of the held bytes are text; fewer than are held if another follows them. */
  #textBytes = 0
  /** What its first bytes are most like. */
  #guess: FormName | undefined

  /** `wanted` is what a user calls the stream. */
  constructor(wanted: FormName | 'auto') {
    this.#wanted = wanted
  }

  /** What it is, once that is known; undefined at the end of what is too short to tell. */
  get form(): FormName | undefined {
    return this.#form
  }

  /** Bytes of text ahead of the stream. */
  get lead(): number {
    return this.#lead
  }

  /** What is to be said of that text, if there is any. */
  get flaw(): LeadFlaw | undefined {
    const lead = this.#lead
    if (lead === 0) return undefined
    const found = `${lead} bytes of text; the stream begins at byte ${lead}`
    const isBanner = lead === bannerBytes.length && this.#form === 'back'
    if (isBanner) {
      const rule = `the line is xl's: "${XL_BANNER.trim()}"`
      return { severity: 'note', code: 'banner', rule, found }
    }
    const rule = 'nothing may stand ahead of the stream'
    return { severity: 'error', code: 'bad-magic', rule, found }
  }

  /** The bytes of the stream that were held. */
  get held(): Uint8Array {
    return this.#held.subarray(this.#lead, this.#length)
  }

  /** The next bytes. Returns how many it took; none when the form is known. */
  push(chunk: Uint8Array, at: number, to: number): number {
    const least = this.#length < FORM_BYTES ? FORM_BYTES : LEAD_BYTES_MAX
    const taken = Math.min(to - at, least - this.#length)
    this.#held.set(chunk.subarray(at, at + taken), this.#length)
    this.#length += taken
    this.#decide(false)
    return taken
  }

  /** There are no more bytes. */
  end(): void {
    if (this.#form === undefined) this.#decide(true)
  }

  #decide(isEnd: boolean): void {
    const held = this.#held.subarray(0, this.#length)
    const wanted = this.#wanted
    if (held.length < FORM_BYTES) {
      if (isEnd && wanted !== 'auto') this.#form = wanted
      return
    }
    this.#guess ??= wanted === 'auto' ? formOf(held, 0) : wanted
    if (!beginsAs(this.#guess, held, 0)) {
      while (isText(held[this.#textBytes] ?? NO_TEXT)) this.#textBytes++
      const isAllText = this.#textBytes === held.length
      const due = isAllText ? LEAD_BYTES_MAX : this.#textBytes + OPENING_BYTES_MAX
      if (!isEnd && held.length < Math.min(due, LEAD_BYTES_MAX)) return
      this.#findLead(held, this.#textBytes)
    }
    this.#form ??= this.#guess
  }

  /** All ahead of `noText` is text. */
  #findLead(held: Uint8Array, noText: number): void {
    const wanted = this.#wanted === 'auto' ? undefined : forms[this.#wanted].form
    const banner = indexOf(held, bannerBytes)
    if (banner >= 0 && (wanted ?? 'back') === 'back') {
      this.#form = 'back'
      this.#lead = banner + bannerBytes.length
      return
    }
    for (const { form, bytes } of openings) {
      const at = indexOf(held, bytes)
      const isBehindText = at > 0 && at <= noText && held[at - 1] === LINE_FEED
      if (!isBehindText || (wanted ?? form) !== form) continue
      this.#form = this.#wanted === 'auto' ? form : this.#wanted
      this.#lead = at
      return
    }
  }
}
