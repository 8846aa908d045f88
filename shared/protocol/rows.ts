// The rows of the statistics: one a checkpoint, one a failover. `STAGES` is the table that the history, the
// live table, the JSON of `colo up` and the docs walk. All durations are milliseconds.

import type { ErrorCode } from './errors.ts'
import type { Role } from './words.ts'
import type { Epoch, Generation } from './register.ts'

export const STAGES = {
  request: 'from the moment the checkpoint was due to the PVM captured and resumed',
  reply: 'from checkpoint-request to checkpoint-reply',
  send: 'from both of those to the last byte handed to the data channel',
  received: 'from there to vmstate-received: the commit',
  loaded: 'from there to vmstate-loaded',
} as const

export type StageName = keyof typeof STAGES
export const STAGE_NAMES = Object.keys(STAGES) as StageName[]

export const TRIGGERS = {
  seed: 'the first full copy of a session',
  output: 'commitWithinMs after the first byte of output was held',
  period: 'periodMs after the last checkpoint',
  held: 'too much output was held',
  dirty: 'more pages have changed than one checkpoint should have',
  request: 'an operator or the guest asked for it',
} as const

export type Trigger = keyof typeof TRIGGERS

export type Outcome = 'committed' | 'discarded'

export interface CheckpointRow {
  readonly epoch: Epoch
  readonly generation: Generation
  readonly session: number
  readonly trigger: Trigger
  readonly at: number
  readonly stages: Readonly<Record<StageName, number>>
  /** From checkpoint-request to vmstate-loaded. */
  readonly cycle: number
  /** How long the PVM stood still. */
  readonly pause: number
  /** Of the pause, finding and copying the dirty pages. */
  readonly find: number
  readonly pages: number
  readonly bytes: number
  /** Bytes of output that this checkpoint released. */
  readonly held: number
  readonly outcome: Outcome
}

export interface FailoverRow {
  readonly at: number
  readonly role: Role
  /** What made this side give up the session. */
  readonly reason: ErrorCode
  readonly detail: string
  /** From the last word of the peer to the suspicion. */
  readonly detectedMs: number
  /** From the suspicion to the claim being granted. */
  readonly claimedMs: number
  /** From the suspicion to the guest serving. */
  readonly servingMs: number
  readonly generation: Generation
}
