// The clients of the guest, by number: what they say goes to the guest at once, and they are read from only while
// neither the output gate nor the guest has too much of theirs.

import type { GuestPort, OutputPort } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import type { OutputGate } from './output-gate.ts'
import type { PoisonGuard } from './poison-guard.ts'

export class ClientConnections {
  readonly #guest: GuestPort
  readonly #output: OutputPort
  readonly #gate: OutputGate
  readonly #guard: PoisonGuard
  readonly #open = new Set<number>()
  #next: number
  #inputBytes = 0

  /** `next`: the first number that the guest has not seen. */
  constructor(
    guest: GuestPort,
    output: OutputPort,
    gate: OutputGate,
    guard: PoisonGuard,
    next: number,
  ) {
    this.#guest = guest
    this.#output = output
    this.#gate = gate
    this.#guard = guard
    this.#next = next
  }

  get next(): number {
    return this.#next
  }

  get count(): number {
    return this.#open.size
  }

  has(connection: number): boolean {
    return this.#open.has(connection)
  }

  /** The number of a new connection from `address`, or undefined if there are too many. */
  opened(address: string): number | undefined {
    if (this.#open.size >= LIMITS.connectionsMax) return undefined
    const connection = this.#next++
    this.#open.add(connection)
    this.#guard.opened(connection, address)
    this.#guest.open(connection)
    return connection
  }

  said(connection: number, bytes: Uint8Array): void {
    if (!this.#open.has(connection)) return
    if (!this.#guard.admits(connection, bytes)) {
      this.closed(connection)
      this.#output.reset(connection)
      return
    }
    this.#inputBytes += bytes.length
    this.#guest.input(connection, bytes)
    this.consider()
  }

  /** The client will say no more: the guest closes once it has read everything, and its answers still leave. */
  ended(connection: number): void {
    if (this.#open.has(connection)) this.#guest.close(connection)
  }

  /** The client is gone: what is held for it is dropped. */
  closed(connection: number): void {
    if (this.#open.delete(connection)) {
      this.#guard.left(connection)
      this.#guest.close(connection)
    }
    this.#gate.drop(connection)
  }

  /** One call of the guest said too much to it, and the guest knows that it is closed. Returns what to say. */
  cut(connection: number): string {
    this.#open.delete(connection)
    this.#guard.forget(connection)
    this.#gate.drop(connection)
    this.#output.reset(connection)
    return `a client was reset: one call answered more than ${LIMITS.callOutputBytesMax} bytes`
  }

  /** The guest has closed it. */
  dropped(connection: number): void {
    this.#guard.forget(connection)
    this.#open.delete(connection)
  }

  /** The guest has taken so many bytes of what clients said. */
  took(bytes: number): void {
    this.#inputBytes -= bytes
    this.consider()
  }

  /** What is held, or what the guest has not taken, has grown or shrunk. */
  consider(): void {
    const { heldBytesMax, guestInputBytesMax } = LIMITS
    const { heldBytes } = this.#gate
    const full = heldBytes > heldBytesMax || this.#inputBytes > guestInputBytesMax
    const low = heldBytes < heldBytesMax / 2 && this.#inputBytes < guestInputBytesMax / 2
    if (full) this.#output.pauseInput(true)
    else if (low) this.#output.pauseInput(false)
  }
}
