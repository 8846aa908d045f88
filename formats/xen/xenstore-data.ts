// The payload of EMULATOR_XENSTORE_DATA: (key NUL value NUL)*. Xen's keys are byte strings; here a
// character is a byte, U+0000 to U+00FF, which keeps every payload as it was through a round trip.

import type { PayloadScan } from './record-spec.ts'

/**
 * The strings of a payload in their order: key, value, key, value. An unterminated rest is left
 * out.
 */
export function decodeXenstoreStrings(data: Uint8Array): string[] {
  const strings: string[] = []
  let text = ''
  for (const byte of data) {
    if (byte !== 0) {
      text += String.fromCharCode(byte)
      continue
    }
    strings.push(text)
    text = ''
  }
  return strings
}

/** A payload of key-value pairs. */
export function encodeXenstorePairs(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const text = pairs.map(([key, value]) => `${key}\0${value}\0`).join('')
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

const SLASH = 0x2f

/** Judges a payload in pieces: libxl-migration-stream, EMULATOR_XENSTORE_DATA. */
export class XenstoreScan implements PayloadScan {
  #bytes = 0
  /** Strings that are whole: an even number of them when a key is under way. */
  #strings = 0
  /** Where the string under way began. */
  #start = 0
  #flaw: { at: number; rule: string } | undefined

  push(bytes: Uint8Array, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const at = this.#bytes++
      const byte = bytes[index]
      if (at === this.#start && this.#strings % 2 === 0) this.#judgeKey(at, byte)
      if (byte !== 0) continue
      this.#strings++
      this.#start = at + 1
    }
  }

  #judgeKey(at: number, first: number): void {
    if (first === 0) this.#flaw ??= { at, rule: 'a key must not be empty' }
    if (first === SLASH) this.#flaw ??= { at, rule: "a key must be relative: no leading '/'" }
  }

  /** The form of the payload as a whole comes first, since without it keys are not sure to be keys. */
  finish(): { at: number; rule: string } | undefined {
    if (this.#start !== this.#bytes) return { at: 0, rule: 'the payload must end in a NUL' }
    if (this.#strings % 2 !== 0) return { at: 0, rule: 'keys and values must come in pairs' }
    return this.#flaw
  }
}
