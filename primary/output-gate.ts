// Output commit: what the guest says is held, in order, with the epoch in which it was said, and leaves when
// the checkpoint that ends that epoch is committed on the secondary. A standalone owner's gate is open. The
// gate knows nothing of clients: it is given a port to write to.

import { invariant } from '../shared/protocol/invariants.ts'
import type { Epoch } from '../shared/protocol/register.ts'

interface Held {
  readonly epoch: Epoch
  readonly connection: number
  /** Undefined: the guest closed the connection here. */
  bytes: Uint8Array | undefined
  readonly at: number
  /** Its connection is gone: it leaves no more. */
  dropped: boolean
  /** The next one that is held for the same connection. */
  next: Held | undefined
}

export interface Outlet {
  write(connection: number, bytes: Uint8Array): void
  close(connection: number): void
}

export class OutputGate {
  readonly #outlet: Outlet
  readonly #settled: (bytes: number) => void
  #open = true
  #shut = false
  #held: Held[] = []
  #first = 0
  #heldBytes = 0
  /** What is held for each connection: the oldest and the newest, linked by `next`. */
  readonly #of = new Map<number, { oldest: Held; newest: Held }>()

  /** `settled` hears how many bytes of what was said have left or were dropped. */
  constructor(outlet: Outlet, settled: (bytes: number) => void = () => {}) {
    this.#outlet = outlet
    this.#settled = settled
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
    const held = { epoch, connection, bytes, at: now, dropped: false, next: undefined }
    this.#held.push(held)
    this.#heldBytes += bytes?.length ?? 0
    const same = this.#of.get(connection)
    if (same === undefined) {
      this.#of.set(connection, { oldest: held, newest: held })
    } else {
      same.newest.next = held
      same.newest = held
    }
  }

  /** The guest said this to a connection that is gone. */
  drops(bytes: Uint8Array | undefined): void {
    if (bytes !== undefined) this.#settled(bytes.length)
  }

  /** A connection is gone: what is held for it is dropped. */
  drop(connection: number): void {
    const same = this.#of.get(connection)
    if (same === undefined) return
    this.#of.delete(connection)
    for (let held: Held | undefined = same.oldest; held !== undefined; held = held.next) {
      this.#heldBytes -= held.bytes?.length ?? 0
      this.drops(held.bytes)
      held.bytes = undefined
      held.dropped = true
    }
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
    this.#of.clear()
    this.#open = false
  }

  #letUpTo(epoch: Epoch): number {
    if (this.#shut) return 0
    const before = this.#heldBytes
    while (this.#first < this.#held.length && this.#held[this.#first].epoch <= epoch) {
      const held = this.#held[this.#first++]
      if (held.dropped) continue
      this.#forget(held)
      this.#heldBytes -= held.bytes?.length ?? 0
      this.#let(held.connection, held.bytes)
    }
    if (this.#first > 1024 || this.#first === this.#held.length) {
      this.#held = this.#held.slice(this.#first)
      this.#first = 0
    }
    return before - this.#heldBytes
  }

  /** The oldest of its connection leaves. */
  #forget(held: Held): void {
    const same = this.#of.get(held.connection)
    if (same === undefined) return
    if (held.next === undefined) this.#of.delete(held.connection)
    else same.oldest = held.next
  }

  #let(connection: number, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return this.#outlet.close(connection)
    this.#outlet.write(connection, bytes)
    this.#settled(bytes.length)
  }
}
