// Whose input the guest has, and how much of it: where the daemon's thread can read it even while a call spins.

import { SIGNALS } from './guest-messages.ts'

export class InputNotes {
  readonly #signals: Int32Array
  /** How much input of each connection the guest was given. */
  readonly #taken = new Map<number, number>()

  constructor(signals: Int32Array) {
    this.#signals = signals
  }

  /** A call with so many more bytes of this connection begins. */
  begin(connection: number, bytes: number): void {
    const total = (this.#taken.get(connection) ?? 0) + bytes
    this.#taken.set(connection, total)
    this.#signals[SIGNALS.taken] = total
    this.#signals[SIGNALS.connection] = connection
  }

  /** The call has returned. */
  end(): void {
    this.#signals[SIGNALS.connection] = 0
  }

  forget(connection: number): void {
    this.#taken.delete(connection)
  }
}
