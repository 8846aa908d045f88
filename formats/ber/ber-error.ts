// The one error that reading or writing BER can raise. Its code is stable and for programs, its rule is for
// people; it names the byte and the element, since a BER file has no lines to point at.

/** Every code, with what it means. */
export const berErrorCodes = {
  truncated: 'the file ends inside an element',
  'bad-tag': 'identifier octets that break X.690 8.1.2, or a tag number beyond 2^28',
  'bad-length':
    'length octets that break X.690 8.1.3, or an element that is longer than its parent',
  unexpected: 'an element that the module does not have at this place, or none where it wants one',
  'bad-value': 'contents that the type, or the module, forbids',
  'too-long': 'a length or a count exceeds a limit of this reader',
  'too-deep': 'elements are nested deeper than this reader goes',
  trailing: 'bytes behind the end of the outermost element',
  'no-description':
    'device state in fields, and no description in the file that says how wide they are',
} as const

export type BerErrorCode = keyof typeof berErrorCodes

export class BerError extends Error {
  readonly code: BerErrorCode
  /** Of the element's first byte, from the start of the file. */
  readonly offset: number
  /** The element, section or field it was found in. */
  readonly item: string
  readonly rule: string

  constructor(code: BerErrorCode, offset: number, item: string, rule: string) {
    super(`${code} at byte ${offset} (${item}): ${rule}`)
    this.name = 'BerError'
    this.code = code
    this.offset = offset
    this.item = item
    this.rule = rule
  }
}
