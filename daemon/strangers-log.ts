// Lines of the log that strangers and clients cause: so many of a kind in ten seconds, and then one line that
// counts the others. Without it anybody who may connect could fill the disk of the log.

import type { Logger } from 'pino'
import { LIMITS } from '../shared/protocol/limits.ts'

const WINDOW_MS = 10_000

type Fields = Readonly<Record<string, unknown>>

interface Window {
  lines: number
  more: number
  last: Fields
}

export class StrangersLog {
  readonly #log: Logger
  readonly #windows = new Map<string, Window>()

  constructor(log: Logger) {
    this.#log = log
  }

  refused(why: string, from: string): void {
    this.#warn('refused', `refused: ${why}`, { from })
  }

  clientReset(why: string, from: string): void {
    this.#warn('clients reset', `a client was reset: ${why}`, { from })
  }

  /** A warning of the core: those of one kind begin alike, such as refusals of a peer. */
  warned(message: string, fields: Fields): void {
    this.#warn(message.split(':', 1)[0] ?? '', message, fields)
  }

  #warn(kind: string, message: string, fields: Fields = {}): void {
    const window = this.#windowOf(kind)
    if (window.lines++ < LIMITS.refusalLinesMax) {
      return this.#log.warn(fields, message)
    }
    window.more++
    window.last = { ...fields, last: message }
  }

  #windowOf(kind: string): Window {
    const known = this.#windows.get(kind)
    if (known !== undefined) return known
    const window: Window = { lines: 0, more: 0, last: {} }
    this.#windows.set(kind, window)
    setTimeout(() => {
      this.#windows.delete(kind)
      const { more, last } = window
      if (more > 0) this.#log.warn(last, `${kind}: ${more} more in ${WINDOW_MS / 1000} s`)
    }, WINDOW_MS).unref()
    return window
  }
}
