// What the checkers know together: which state of the guest was captured as which checkpoint, and which of them
// a secondary has committed. Checkpoints are told apart by the incarnation that made them and their epoch; the
// answers of the guest carry its instance and how often it had been captured.

import type { Process } from '../process.ts'

export interface Captured {
  readonly instance: number
  readonly captures: number
  /** Of RAM and CPU state. */
  readonly digest: string
}

export class Facts {
  readonly #byEpoch = new Map<string, Captured>()
  readonly #committed = new Set<string>()
  readonly #newest = new Map<Process, Captured>()
  /** Of the session under way: its number and its first capture. */
  readonly seeds = new Map<Process, { session: number; captures: number }>()
  /** A register that went back, or an operator that let go: acknowledged writes may be lost. */
  forgiven = false
  /** An operator goes on from a seed: what left since then is lost. */
  adopting = false

  captured(process: Process, captured: Captured): void {
    const { incarnation, epoch, session } = process.side.record
    this.#byEpoch.set(`${incarnation}:${epoch}`, captured)
    if (this.seeds.get(process)?.session === session) return
    this.seeds.set(process, { session, captures: captured.captures })
  }

  /** READY leaves: undefined if what is committed was never captured. */
  committed(process: Process): Captured | undefined {
    const { sessionOwner, epoch } = process.side.record
    const captured = this.#byEpoch.get(`${sessionOwner}:${epoch}`)
    if (captured === undefined) return undefined
    this.#committed.add(`${captured.instance}:${captured.captures}`)
    this.#newest.set(process, captured)
    return captured
  }

  /** The newest checkpoint for which this process has sent READY. */
  newest(process: Process): Captured | undefined {
    return this.#newest.get(process)
  }

  /** How often each guest had been captured, at most, when it said something that has left. */
  readonly #left = new Map<number, number>()

  left(instance: number, captures: number): void {
    if (captures >= (this.#left.get(instance) ?? 0)) this.#left.set(instance, captures)
  }

  /** True if something has left that was said after this capture. */
  hasMoreLeft(captured: Captured): boolean {
    return (this.#left.get(captured.instance) ?? -1) >= captured.captures
  }

  started(process: Process): void {
    this.#newest.delete(process)
    this.seeds.delete(process)
  }

  isCommitted(instance: number, captures: number): boolean {
    return this.#committed.has(`${instance}:${captures}`)
  }
}
