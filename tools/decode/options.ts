// What `colo decode` is asked for.

export interface DecodeOptions {
  readonly desc?: boolean
  readonly state?: boolean
  readonly ram?: string
  readonly compat?: boolean
  readonly descFrom?: string
  readonly at?: number
  readonly diff?: string
  readonly checkpoint?: number
  readonly diffCheckpoint?: number
  readonly channel?: readonly string[]
  readonly pageSize?: number
  readonly trace?: boolean
  readonly traceSave?: boolean
  readonly format: 'text' | 'json'
}
