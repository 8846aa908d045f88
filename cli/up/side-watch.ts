// An eye on one life of a daemon: its status after each change and a few times a second, and every row of its
// history as it appears, so that what a daemon knew is not lost with it.

import { setTimeout as delay } from 'node:timers/promises'
import { OperatorClient } from '../../network/control-client.ts'
import type { Status } from '../../shared/protocol/control-messages.ts'
import type { CheckpointRow, FailoverRow } from '../../shared/protocol/rows.ts'

const POLL_MS = 200
const RETRY_MS = 25
/** For a side that may never answer. */
export const PATIENT_RETRY_MS = 250
const ANSWER_MS = 1000
/** More rows would not fit into one control message. */
export const HISTORY_ROWS_MAX = 400
const ROWS_MARGIN = 8

export interface SideEvents {
  readonly changed: () => void
  readonly checkpoint: (row: CheckpointRow) => void
  readonly failover: (row: FailoverRow) => void
  /** The connection ended, of a side that had said something. */
  readonly lost?: () => void
  /** False: somebody else answers at this address, and is passed over. */
  readonly expects?: (status: Status) => boolean
}

function rowsOf<T extends { readonly at: number }>(list: unknown, after: number): T[] {
  return ((list ?? []) as T[]).filter((row) => row.at > after)
}

export class SideWatch {
  status: Status | undefined
  /** When the status was heard (performance.now()). */
  heardAt = -Infinity
  readonly #control: string
  readonly #events: SideEvents
  readonly #retryMs: number
  #client: OperatorClient | undefined
  #over = false
  #collecting: Promise<void> | undefined
  #collected = { checkpoints: 0, failovers: 0, checkpointAt: -Infinity, failoverAt: -Infinity }

  constructor(control: string, events: SideEvents, retryMs = RETRY_MS) {
    this.#retryMs = retryMs
    this.#control = control
    this.#events = events
    this.#run().catch(() => this.close())
  }

  /** It answers: what it said last is of the process that runs now. */
  get isConnected(): boolean {
    return this.#client !== undefined && this.status !== undefined
  }

  get isOver(): boolean {
    return this.#over
  }

  /** Its life is over; what was heard last stays. */
  close(): void {
    this.#over = true
    this.#client?.close()
  }

  /** Asks once more, so that the sums are complete. */
  async settle(): Promise<void> {
    const client = this.#client
    if (client === undefined || this.#over) return
    try {
      await this.#ask(client)
    } catch {
      // It ended meanwhile: what was heard before counts.
    }
  }

  /** Says `stop --pair` to it. */
  async stopPair(token: string): Promise<void> {
    if (this.#client === undefined) throw new Error('there is no connection to it')
    await this.#client.ask('stop', { pair: true, token }, ANSWER_MS)
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      try {
        const client = await OperatorClient.connect(this.#control, ANSWER_MS)
        await this.#follow(client)
      } catch {
        // Not there yet, or not there any more: whoever watches the process knows which.
      }
      this.#client = undefined
      if (this.status !== undefined && !this.#over) this.#events.lost?.()
      await delay(this.#retryMs)
    }
  }

  async #follow(client: OperatorClient): Promise<void> {
    this.#client = client
    const link = { closed: false }
    client.onClosed = () => (link.closed = true)
    client.onStatus = (status) => {
      this.#heard(status)
      if (status.failovers > this.#collected.failovers) {
        this.#collect(client, status).catch(() => {})
      }
    }
    await client.ask('watch', {}, ANSWER_MS)
    while (!this.#over && !link.closed) {
      await this.#ask(client).catch(() => {})
      await delay(POLL_MS)
    }
    client.close()
  }

  async #ask(client: OperatorClient): Promise<void> {
    const { status } = await client.ask('status', {}, ANSWER_MS)
    if (status === undefined || this.#over) return
    this.#heard(status)
    await this.#collect(client, status)
  }

  #heard(status: Status): void {
    if (this.#over || this.#events.expects?.(status) === false) return
    this.status = status
    this.heardAt = performance.now()
    this.#events.changed()
  }

  /** Rows are told once, whoever asks: one question is under way at a time. */
  async #collect(client: OperatorClient, status: Status): Promise<void> {
    await this.#collecting?.catch(() => {})
    this.#collecting = this.#rows(client, status)
    await this.#collecting
  }

  async #rows(client: OperatorClient, { checkpoints, failovers }: Status): Promise<void> {
    const seen = this.#collected
    if (checkpoints === seen.checkpoints && failovers === seen.failovers) return
    const rows = Math.min(HISTORY_ROWS_MAX, checkpoints - seen.checkpoints + ROWS_MARGIN)
    const answer = await client.ask('history', { rows }, ANSWER_MS)
    for (const row of rowsOf<CheckpointRow>(answer.checkpoints, seen.checkpointAt)) {
      seen.checkpointAt = row.at
      this.#events.checkpoint(row)
    }
    for (const row of rowsOf<FailoverRow>(answer.failovers, seen.failoverAt)) {
      seen.failoverAt = row.at
      this.#events.failover(row)
    }
    seen.checkpoints = Math.max(seen.checkpoints, checkpoints)
    seen.failovers = Math.max(seen.failovers, failovers)
    this.#events.changed()
  }
}
