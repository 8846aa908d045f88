// A file of the daemon's own that the guest does not need: what was seen of the register, the run file, a rewritten
// module. A write is under way beside everything else and nobody waits for it. While one is under way, or waits to
// be tried again, only the newest value is kept. An error becomes a warning, which is over with the next good write.

import { describeFileError } from '../terminal/file-reasons.ts'
import type { Warnings } from './warnings.ts'

/** The first wait after an error is this part of the longest; each further one is twice as long. */
const FIRST_WAIT = 1 / 16

export interface RetriedWriteOptions<T> {
  /** The name of the warning. */
  readonly name: string
  readonly path: string
  /** What is missing while the file is not written, for the warning. */
  readonly meanwhile: string
  readonly retryMs: number
  readonly warnings: Warnings
  /** Puts the value in its place as a whole, or rejects and leaves what was there. */
  put(value: T): Promise<void>
}

export class RetriedWrite<T> {
  readonly #options: RetriedWriteOptions<T>
  #next: { readonly value: T } | undefined
  #writing = false
  #timer: NodeJS.Timeout | undefined
  #waitMs: number
  #error: unknown
  #settled: (() => void)[] = []
  #disposed = false

  constructor(options: RetriedWriteOptions<T>) {
    this.#options = options
    this.#waitMs = options.retryMs * FIRST_WAIT
  }

  /** Why the last try failed; undefined after a good one. */
  get error(): unknown {
    return this.#error
  }

  keep(value: T): void {
    this.#next = { value }
    if (!this.#writing && this.#timer === undefined) this.#write()
  }

  /** Resolves once everything is written, or a try has failed. Never rejects. */
  async settled(): Promise<void> {
    if (!this.#writing) return undefined
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  /** Tries nothing again. */
  dispose(): void {
    clearTimeout(this.#timer)
    this.#disposed = true
    this.#next = undefined
  }

  #write(): void {
    const next = this.#next
    this.#timer = undefined
    if (next === undefined) return
    this.#next = undefined
    this.#writing = true
    this.#options.put(next.value).then(
      () => this.#written(),
      (error: unknown) => this.#failed(next, error),
    )
  }

  #written(): void {
    const { name, retryMs, warnings } = this.#options
    this.#writing = false
    this.#error = undefined
    this.#waitMs = retryMs * FIRST_WAIT
    warnings.clear(name)
    if (this.#next === undefined) this.#tell()
    else this.#write()
  }

  #failed(failed: { readonly value: T }, error: unknown): void {
    const { name, path, meanwhile, retryMs, warnings } = this.#options
    this.#writing = false
    this.#error = error
    if (!this.#disposed) {
      this.#next ??= failed
      this.#timer = setTimeout(() => this.#write(), this.#waitMs)
      this.#timer.unref()
      this.#waitMs = Math.min(retryMs, 2 * this.#waitMs)
    }
    warnings.set(name, `${describeFileError(path, error, 'write')}; until then ${meanwhile}`)
    this.#tell()
  }

  #tell(): void {
    for (const resolve of this.#settled.splice(0)) resolve()
  }
}
