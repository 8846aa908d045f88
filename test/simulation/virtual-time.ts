// Virtual time: a heap of what is to happen, ordered by when, and by creation where times are equal. Nothing
// else moves the clock, so a run is a function of its seed.

interface Entry {
  at: number
  order: number
  run: (() => void) | undefined
  cancelled: boolean
}

export class VirtualTime {
  now = 0
  #order = 0
  readonly #heap: Entry[] = []

  /** Runs `run` at `at` (or now, if that has passed). The handle cancels it. */
  at(at: number, run: () => void): Entry {
    const entry = { at: Math.max(at, this.now), order: this.#order++, run, cancelled: false }
    const heap = this.#heap
    let i = heap.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, heap[parent])) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
    return entry
  }

  cancel(handle: unknown): void {
    if (handle === undefined) return
    ;(handle as Entry).run = undefined
    ;(handle as Entry).cancelled = true
  }

  /** Lets everything happen that is due up to `until`, or until `stop` says so. */
  runUntil(until: number, stop: () => boolean): void {
    while (this.#heap.length > 0 && this.#heap[0].at <= until && !stop()) {
      const entry = this.#pop()
      this.now = entry.at
      entry.run?.()
    }
    if (!stop()) this.now = Math.max(this.now, until)
  }

  #pop(): Entry {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()!
    if (heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return top
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
