// A damaged stream can have a flaw in every record. Ten of a kind are shown and the others counted,
// so that the one of another kind can be seen, and so that memory stays bounded.

import type { Finding } from '../../formats/xen/verify/finding.ts'

const OF_A_KIND_MAX = 10
const SHOWN_MAX = 1000
/** Kinds that are told apart; unknown records are of a kind each. */
const KINDS_MAX = 1000

/** How much is shown: of a kind, and of all. */
export interface FindingLimits {
  readonly ofAKind: number
  readonly all: number
}

export const fewFindings: FindingLimits = { ofAKind: OF_A_KIND_MAX, all: SHOWN_MAX }

export class FindingFilter {
  readonly #show: (finding: Finding) => void
  readonly #limits: FindingLimits
  readonly #kinds = new Map<string, { count: number; last: number }>()
  #shown = 0
  #found = 0

  constructor(show: (finding: Finding) => void, limits: FindingLimits) {
    this.#show = show
    this.#limits = limits
  }

  add(finding: Finding): void {
    this.#found++
    const key = `${finding.severity} ${finding.code} of ${finding.record}`
    const kind = this.#kinds.get(key) ?? { count: 0, last: 0 }
    if (this.#shown < this.#limits.all && kind.count < this.#limits.ofAKind) {
      this.#shown++
      this.#show(finding)
    }
    kind.count++
    kind.last = finding.offset
    if (kind.count > 1 || this.#kinds.size < KINDS_MAX) this.#kinds.set(key, kind)
  }

  /** What was not shown, a line for each kind. */
  get rest(): string[] {
    const { ofAKind } = this.#limits
    const many = [...this.#kinds].filter(([, { count }]) => count > ofAKind)
    const lines = many.map(([kind, { count, last }]) => {
      return `${count - ofAKind} more: ${kind}, the last at byte ${last} (--all shows them)`
    })
    const counted = many.reduce((sum, [, { count }]) => sum + count - ofAKind, 0)
    const left = this.#found - this.#shown - counted
    return left === 0 ? lines : [...lines, `${left} more of other kinds were not shown`]
  }
}
