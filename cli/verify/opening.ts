// How a stream begins, noted on its way to whoever judges it: what is none of Xen's streams says there what it is.

import { KIND_BYTES } from '../stream-kind.ts'
import type { StreamConsumer } from './stream-input.ts'

export class Opening implements StreamConsumer {
  readonly #to: StreamConsumer
  #first: Uint8Array | undefined

  constructor(to: StreamConsumer) {
    this.#to = to
  }

  /** At most KIND_BYTES. */
  get first(): Uint8Array {
    return this.#first ?? new Uint8Array()
  }

  get skippable(): number {
    return this.#to.skippable
  }

  get isDone(): boolean {
    return this.#to.isDone
  }

  push(chunk: Uint8Array, from: number, to: number): void {
    this.#first ??= chunk.slice(from, Math.min(to, from + KIND_BYTES))
    this.#to.push(chunk, from, to)
  }

  skip(bytes: number): void {
    this.#to.skip(bytes)
  }
}
