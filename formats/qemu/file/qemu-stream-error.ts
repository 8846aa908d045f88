// The one error that reading or writing a QEMU stream can raise. Its code is stable and for programs,
// its rule is for people: it says what was broken and where QEMU's own format says so.

/** Every code, with what it means. */
export const qemuStreamErrorCodes = {
  'bad-magic': 'the stream does not begin with QEVM',
  'bad-version':
    'the stream, a section or a subsection has a version that this reader does not know',
  'unknown-item': 'a byte where an item begins that QEMU 7.2 does not write',
  'bad-command': 'a command whose id or length QEMU does not know',
  'bad-footer': 'the footer behind a section does not name it',
  'bad-ram': 'a record of a ram section that breaks its rules',
  'bad-value': 'a field has a value that its type forbids',
  'bad-description': 'the JSON description is malformed, or does not fit the bytes it describes',
  'too-long': 'a length or a count exceeds a limit of this reader',
  undelimited: 'a section with neither description nor footer: nobody can tell where it ends',
  truncated: 'the stream ends before it is complete',
} as const

export type QemuStreamErrorCode = keyof typeof qemuStreamErrorCodes

export class QemuStreamError extends Error {
  readonly code: QemuStreamErrorCode
  /** In bytes from the start of the stream. */
  readonly offset: number
  /** The section, block or field it was found in. */
  readonly item: string
  readonly rule: string

  constructor(code: QemuStreamErrorCode, offset: number, item: string, rule: string) {
    super(`${code} at byte ${offset} (${item}): ${rule}`)
    this.name = 'QemuStreamError'
    this.code = code
    this.offset = offset
    this.item = item
    this.rule = rule
  }
}
