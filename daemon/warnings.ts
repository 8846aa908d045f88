// What is wrong with this daemon at the moment and does not end it: a file that cannot be written, a log whose
// reader stands still. Each warning has a name; it lasts from `set` to `clear`, is shown by every status, and is
// logged when it begins and when it is over.

export interface Warnings {
  /** A name that is set already gets the new text; that is not logged again. */
  set(name: string, text: string): void
  clear(name: string): void
  /** In the order in which they began. */
  readonly all: readonly string[]
}

export interface WarningEvents {
  began(name: string, text: string): void
  /** `text` is the last one that the warning had. */
  ended(name: string, text: string): void
  /** The list is another one than before. */
  changed(): void
}

export class WarningList implements Warnings {
  readonly #events: WarningEvents
  readonly #texts = new Map<string, string>()

  constructor(events: WarningEvents) {
    this.#events = events
  }

  get all(): readonly string[] {
    return [...this.#texts.values()]
  }

  set(name: string, text: string): void {
    const known = this.#texts.get(name)
    if (known === text) return
    this.#texts.set(name, text)
    if (known === undefined) this.#events.began(name, text)
    this.#events.changed()
  }

  clear(name: string): void {
    const text = this.#texts.get(name)
    if (text === undefined) return
    this.#texts.delete(name)
    this.#events.ended(name, text)
    this.#events.changed()
  }
}
