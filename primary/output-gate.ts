// Output commit: what the guest says is held, in order, with the epoch in which it was said, and leaves when
// the checkpoint that ends that epoch is committed on the secondary. A standalone owner's gate is open. The
// gate knows nothing of clients: it is given a port to write to.

import { invariant } from '../shared/protocol/invariants.ts'
import type { Epoch } from '../shared/protocol/register.ts'

interface Held {
  readonly epoch: Epoch
  readonly connection: number
  /** Undefined: the guest closed the connection here. */
  readonly bytes: Uint8Array | undefined
  readonly at: number
}

export interface Outlet {
  write(connection: number, bytes: Uint8Array): void
  close(connection: number): void
}

export class OutputGate {
  readonly #outlet: Outlet
  #open = true
  #shut = false
  #held: Held[] = []
  #first = 0
  #heldBytes = 0

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  get isShut(): boolean {
    return this.#shut
  }

  get isOpen(): boolean {
    return this.#open
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** When the oldest held byte was said; undefined if nothing is held. */
  get heldSince(): number | undefined {
    return this.#held[this.#first]?.at
  }

  /** The guest said this in `epoch`, at `now`; undefined `bytes` close the connection. */
  said(epoch: Epoch, connection: number, bytes: Uint8Array | undefined, now: number): void {
    if (this.#open) return this.#let(connection, bytes)
    this.#held.push({ epoch, connection, bytes, at: now })
    this.#heldBytes += bytes?.length ?? 0
  }

  /** From here on output is held. */
  hold(): void {
    this.#open = false
  }

  /** Nothing leaves any more, whatever is committed: this side is being stopped. */
  shut(): void {
    this.#open = false
    this.#shut = true
  }

  /** Checkpoint `epoch` is committed: all that was said in it or before leaves. Returns the bytes let go. */
  release(epoch: Epoch): number {
    invariant(!this.#open, 'output-commit', `epoch ${epoch} released by an open gate`)
    return this.#letUpTo(epoch)
  }

  /** This side is the standalone owner: everything leaves, and what comes is no longer held. */
  open(): number {
    const bytes = this.#letUpTo(Number.POSITIVE_INFINITY)
    this.#open = !this.#shut
    return bytes
  }

  /** What was held was never said: another side goes on from an earlier epoch. */
  discard(): void {
    this.#held = []
    this.#first = 0
    this.#heldBytes = 0
    this.#open = false
  }

  #letUpTo(epoch: Epoch): number {
    if (this.#shut) return 0
    const before = this.#heldBytes
    while (this.#first < this.#held.length && this.#held[this.#first].epoch <= epoch) {
      const held = this.#held[this.#first++]
      this.#heldBytes -= held.bytes?.length ?? 0
      this.#let(held.connection, held.bytes)
    }
    if (this.#first > 1024 || this.#first === this.#held.length) {
      this.#held = this.#held.slice(this.#first)
      this.#first = 0
    }
    return before - this.#heldBytes
  }

  #let(connection: number, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#outlet.close(connection)
    else this.#outlet.write(connection, bytes)
  }
}
