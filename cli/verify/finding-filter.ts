// A damaged stream can have a flaw in every record. Ten of a kind are shown and the others counted,
// so that the one of another kind can be seen, and so that memory stays bounded.

import type { Finding } from '../../shared/formats/verify/finding.ts'

const OF_A_KIND_MAX = 10
const SHOWN_MAX = 1000

export class FindingFilter {
  readonly #show: (finding: Finding) => void
  readonly #showsAll: boolean
  readonly #kinds = new Map<string, { count: number; last: number }>()
  #shown = 0
  #hidden = 0

  constructor(show: (finding: Finding) => void, showsAll: boolean) {
    this.#show = show
    this.#showsAll = showsAll
  }

  add(finding: Finding): void {
    if (this.#showsAll) return this.#show(finding)
    const key = `${finding.severity} ${finding.code} of ${finding.record}`
    const kind = this.#kinds.get(key) ?? { count: 0, last: 0 }
    if (this.#shown >= SHOWN_MAX) {
      this.#hidden++
    } else if (kind.count < OF_A_KIND_MAX) {
      this.#shown++
      this.#show(finding)
    }
    if (kind.count > 0 || this.#kinds.size < SHOWN_MAX) {
      this.#kinds.set(key, { count: kind.count + 1, last: finding.offset })
    }
  }

  /** What was not shown, a line for each kind. */
  get rest(): string[] {
    const lines = [...this.#kinds]
      .filter(([, { count }]) => count > OF_A_KIND_MAX)
      .map(([kind, { count, last }]) => {
        return `${count - OF_A_KIND_MAX} more: ${kind}, the last at byte ${last} (--all shows them)`
      })
    return this.#hidden === 0
      ? lines
      : [...lines, `${this.#hidden} findings were not shown (--all)`]
  }
}
