// What `colo verify` is asked for.

export interface VerifyOptions {
  readonly form: string
  readonly format: string
  readonly likeXen?: boolean
  readonly withForward?: string
  readonly annotate?: string
  readonly quiet?: boolean
  readonly all?: boolean
}
