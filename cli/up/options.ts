// What `colo up` is asked for.

import type { GuestOptions } from '../daemon-options.ts'
import type { Injection } from './injections.ts'

export interface UpOptions extends GuestOptions {
  readonly load?: number
  readonly kill: readonly Injection[]
  readonly hang: readonly Injection[]
  readonly hangFor: number
  readonly respawn: boolean
  readonly for?: number
  /** Of the clients; undefined takes free ones. */
  readonly port?: number
  readonly format: 'text' | 'json'
}
