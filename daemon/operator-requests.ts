// Where operators are served: questions are answered from what the side and the statistics say, verbs that
// change anything need the token of the pair and go to the side. Those who watch get a status after a change.

import type { OperatorSession } from '../network/operator-link.ts'
import {
  VERBS,
  type Answer,
  type Status,
  type VerbMessage,
} from '../shared/protocol/control-messages.ts'
import { DIRTY_KERNELS } from '../keepers/wasm/guest-module.ts'
import type { WasmGuest } from '../keepers/wasm/wasm-guest.ts'
import type { World } from '../shared/ports.ts'
import { sameToken } from '../side/admission.ts'
import type { Side } from '../side/side.ts'
import type { VerbResult } from '../side/verb-result.ts'
import type { Addresses, Config } from './config.ts'
import { MemoryDigests } from './memory-digests.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { Warnings } from './warnings.ts'

const HISTORY_ROWS = 50

export interface OperatorRequestsOptions {
  readonly config: Config
  readonly token: string
  readonly addresses: Addresses
  readonly side: Side
  readonly statistics: Statistics
  readonly guest: WasmGuest
  readonly world: World
  readonly warnings: Warnings
}

export class OperatorRequests {
  readonly #options: OperatorRequestsOptions
  readonly #watching = new Set<(event: string) => void>()
  readonly #digests: MemoryDigests
  #announced = false

  constructor(options: OperatorRequestsOptions) {
    this.#options = options
    this.#digests = new MemoryDigests(() => options.guest.store.pages)
  }

  /** `tell` sends an event, as JSON. */
  open(tell: (event: string) => void): OperatorSession {
    return {
      verb: async (message) => this.#answer(message, tell),
      closed: () => void this.#watching.delete(tell),
    }
  }

  /** Several changes in one turn are told once. */
  changed(): void {
    if (this.#announced || this.#watching.size === 0) return
    this.#announced = true
    setImmediate(() => {
      this.#announced = false
      const event = JSON.stringify({ type: 'event', status: this.status() })
      for (const tell of this.#watching) tell(event)
    })
  }

  status(memoryDigest?: string): Status {
    const { config, addresses, side, statistics, guest, world, warnings } = this.#options
    const { record } = side
    return {
      name: config.name,
      pair: config.pair,
      version: record.packageVersion,
      pid: process.pid,
      incarnation: record.incarnation,
      role: side.role,
      state: side.state,
      reason: side.reason,
      generation: record.generation,
      epoch: record.epoch,
      session: side.session,
      register: record.shown,
      seen: record.seen,
      witnessTrouble: record.trouble?.text,
      witness: world.witness.kind,
      warning: world.witness.warning,
      warnings: [...warnings.all],
      peer: {
        name: record.peerName,
        address: config.peer,
        incarnation: side.peerIncarnation,
        version: record.peerPackageVersion,
      },
      guest: {
        ...guest.identity,
        kernel: DIRTY_KERNELS[guest.dirty.scheme],
        dirty: guest.dirty,
        paused: side.paused,
        memoryDigest,
      },
      addresses,
      clients: side.clientCount,
      checkpoints: statistics.checkpoints,
      pages: statistics.pages,
      bytes: statistics.bytes,
      heldBytes: side.heldBytes,
      stages: statistics.stages,
      pause: statistics.pause,
      find: statistics.find,
      cycle: statistics.cycle,
      dirtyPages: statistics.dirtyPages,
      failovers: statistics.failovers,
      rssBytes: process.memoryUsage.rss(),
      uptimeMs: process.uptime() * 1000,
    }
  }

  async #answer(message: VerbMessage, tell: (event: string) => void): Promise<Answer> {
    const { id, verb } = message
    const { token, side } = this.#options
    const withDigest = verb === 'status' && message.digest === true
    if ((VERBS[verb].changes || withDigest) && !sameToken(message.token, token)) {
      const what = withDigest ? "the digest of the guest's memory" : 'this verb'
      const detail = message.token ? 'not the token of this pair' : `${what} needs the token`
      return { type: 'answer', id, ok: false, code: 'wrong-token', detail }
    }
    if (VERBS[verb].changes) {
      const result = await new Promise<VerbResult>((resolve) => {
        side.command(message, resolve)
      })
      return { type: 'answer', id, ...result }
    }
    if (verb === 'history') return this.#history(id, message.rows ?? HISTORY_ROWS)
    if (verb === 'watch') this.#watching.add(tell)
    const digest = withDigest ? await this.#digests.ask() : undefined
    return { type: 'answer', id, ok: true, status: this.status(digest) }
  }

  #history(id: number, rowsMax: number): Answer {
    const { statistics } = this.#options
    const rows = Math.max(1, rowsMax)
    return {
      type: 'answer',
      id,
      ok: true,
      checkpoints: statistics.checkpointRows.slice(-rows).map((row) => ({ ...row })),
      failovers: statistics.failoverRows.slice(-rows).map((row) => ({ ...row })),
    }
  }
}
