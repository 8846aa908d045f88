// The places of connections that have not shown the token. There are few, and nobody is refused for want of
// one: a newer connection takes the place of the oldest. So strangers who keep their places cannot keep the
// peer out, who shows the token at once and leaves its place. A new connection has a moment in which only a
// flood can take its place.

export interface StrangerLimits {
  /** Places of connections that are older than `graceMs`. */
  readonly max: number
  /** Places in all. */
  readonly burstMax: number
  readonly graceMs: number
}

export interface StrangerPlace {
  /** It has shown the token, or is gone. */
  leave(): void
  /** It did something: it counts as new. */
  renew(): void
}

interface Entry {
  readonly evict: () => void
  since: number
}

export class StrangerPlaces {
  readonly #limits: StrangerLimits
  /** The oldest first. */
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined

  constructor(limits: StrangerLimits) {
    this.#limits = limits
  }

  /** `evict` is called at most once, and not after `leave`. */
  take(evict: () => void): StrangerPlace {
    const entry = { evict, since: performance.now() }
    this.#entries.add(entry)
    this.#trim()
    return {
      leave: () => void this.#entries.delete(entry),
      renew: () => {
        if (!this.#entries.delete(entry)) return
        entry.since = performance.now()
        this.#entries.add(entry)
      },
    }
  }

  evictAll(): void {
    const entries = [...this.#entries]
    this.#entries.clear()
    for (const { evict } of entries) evict()
  }

  #trim(): void {
    const { max, burstMax, graceMs } = this.#limits
    const now = performance.now()
    for (const entry of this.#entries) {
      const { size } = this.#entries
      if (size <= max) return
      const left = entry.since + graceMs - now
      if (left > 0 && size <= burstMax) return this.#trimIn(left)
      this.#entries.delete(entry)
      entry.evict()
    }
  }

  #trimIn(ms: number): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#trim()
    }, Math.ceil(ms))
    this.#timer.unref()
  }
}
