// Keeps the guest from input that a guest of this pair died of: it knows of each client what was not answered yet,
// makes a mark of it when the guest dies, and stops a client that is about to say again what is marked.

import { ClientInput, type PoisonMark, type PoisonMarks } from '../shared/poison.ts'
import type { Clock, GuestCall, Trace } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

export interface PoisonGuardOptions {
  readonly clock: Clock
  readonly trace: Trace
  readonly marks: PoisonMarks
  readonly keptMs: number
}

export class PoisonGuard {
  readonly #options: PoisonGuardOptions
  readonly #inputs = new Map<number, ClientInput>()
  /** Clients that are gone: the guest may still be busy with what they said. */
  readonly #gone = new Set<number>()

  constructor(options: PoisonGuardOptions) {
    this.#options = options
  }

  opened(connection: number, address: string): void {
    this.#inputs.set(connection, new ClientInput(address))
  }

  /** False: the guest must not be given `bytes`, and the connection is to be reset. */
  admits(connection: number, bytes: Uint8Array): boolean {
    const input = this.#inputs.get(connection)
    if (input === undefined) return true
    const { marks } = this.#options
    const before = input.said(bytes)
    return marks.count === 0 || !this.#isMarked(input, before)
  }

  #isMarked(input: ClientInput, before: number): boolean {
    const { clock, trace, marks, keptMs } = this.#options
    const now = clock.now()
    const found = marks.fits(input, before, now, now + keptMs)
    if (found === undefined) return false
    const { mark, times } = found
    // Who tries again and again does not fill the log.
    if ((times & (times - 1)) === 0) {
      const sent = `it sent ${mark.length} bytes that a guest of this pair died of`
      const wayOut = `keep this client from sending them: they are refused for ${keptMs} ms more`
      trace.log('warn', `reset the client ${input.address}: ${sent}`, { times, wayOut })
    }
    return true
  }

  answered(connection: number): void {
    this.#inputs.get(connection)?.answered()
  }

  /** The client is gone; the guest will say when it has heard of it. */
  left(connection: number): void {
    this.#gone.add(connection)
    if (this.#gone.size <= LIMITS.connectionsMax) return
    const [oldest] = this.#gone
    if (oldest !== undefined) this.forget(oldest)
  }

  /** The guest is done with the connection. */
  forget(connection: number): void {
    this.#gone.delete(connection)
    this.#inputs.delete(connection)
  }

  /** The guest died of this call: a mark of its input, and words for the log. */
  died(call: GuestCall): { readonly mark: PoisonMark; readonly words: string } | undefined {
    const input = this.#inputs.get(call.connection)
    if (input === undefined) return undefined
    const { clock, marks, keptMs } = this.#options
    const mark = input.markAt(call.taken)
    marks.add(mark, clock.now() + keptMs)
    return { mark, words: `by ${mark.length} bytes of the client ${input.address}` }
  }
}
