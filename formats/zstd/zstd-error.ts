// The one error of this decoder. Data of zstd carries no names, so all there is to say is where it breaks which
// rule; whoever gave the bytes knows what they belong to.

export class ZstdError extends Error {
  /** In bytes from the start of what was given to decode. */
  readonly offset: number
  readonly rule: string

  constructor(offset: number, rule: string) {
    super(`byte ${offset}: ${rule}`)
    this.name = 'ZstdError'
    this.offset = offset
    this.rule = rule
  }
}
