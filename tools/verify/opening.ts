// How a stream begins, noted on its way to whoever judges it: what is none of Xen's streams says there what it is.

import { FirstBytes } from '../input/stream-kind.ts'
import type { StreamConsumer } from './stream-input.ts'

export class Opening implements StreamConsumer {
  readonly #to: StreamConsumer
  readonly #first = new FirstBytes()

  constructor(to: StreamConsumer) {
    this.#to = to
  }

  get first(): Uint8Array {
    return this.#first.bytes
  }

  get skippable(): number {
    return this.#to.skippable
  }

  get isDone(): boolean {
    return this.#to.isDone
  }

  push(chunk: Uint8Array, from: number, to: number): void {
    this.#first.add(chunk, from, to)
    this.#to.push(chunk, from, to)
  }

  skip(bytes: number): void {
    this.#to.skip(bytes)
  }
}
