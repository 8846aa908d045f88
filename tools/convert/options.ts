// What `colo convert` is asked for.

export interface ConvertOptions {
  readonly to: 'ber' | 'binary'
  readonly definite?: boolean
  readonly pageSize?: number
  readonly format: 'text' | 'json'
}
