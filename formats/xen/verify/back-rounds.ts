// The back channel held against the forward stream of the same session: each of its records answers
// something, and the forward stream goes on only when it has the answer.
//
//   CHECKPOINT_END k forward -> SVM_READY k, SVM_RESUMED k back -> NEW k forward
//   NEW k -> SVM_SUSPENDED k, CHECKPOINT_DIRTY_PFN_LIST k back -> CHECKPOINT_END k + 1 forward

import { CONTROL_ID } from '../libxl-records.ts'

/** What a forward stream says of its session. */
export interface ForwardFacts {
  /** Whole checkpoints. */
  readonly checkpoints: number
  /** CHECKPOINT_STATE NEWs. */
  readonly news: number
  /** The highest pfn of its PAGE_DATA; -1 when there was none. */
  readonly pfnHighest: number
}

export class BackRounds {
  readonly #forward: ForwardFacts
  #ready = 0
  #resumed = 0
  #suspended = 0
  #lists = 0

  constructor(forward: ForwardFacts) {
    this.#forward = forward
  }

  /** The rule that a CHECKPOINT_STATE breaks that is here now, if any. */
  control(controlId: unknown): string | undefined {
    const { checkpoints, news } = this.#forward
    if (controlId === CONTROL_ID.SVM_READY && ++this.#ready > checkpoints) {
      return `SVM_READY ${this.#ready} answers no CHECKPOINT_END: forward there are ${checkpoints}`
    }
    if (controlId === CONTROL_ID.SVM_RESUMED) this.#resumed++
    if (controlId === CONTROL_ID.SVM_SUSPENDED && ++this.#suspended > news) {
      return `SVM_SUSPENDED ${this.#suspended} answers no NEW: forward there are ${news}`
    }
    return undefined
  }

  /** A CHECKPOINT_DIRTY_PFN_LIST is whole. */
  list(): void {
    this.#lists++
  }

  /** The rules that are broken when the back channel ends here. */
  end(): string[] {
    const { checkpoints, news } = this.#forward
    const rules: string[] = []
    if (news > this.#resumed) {
      rules.push(
        `forward there are ${news} NEWs, each behind an SVM_RESUMED: ${this.#resumed} here`,
      )
    }
    if (checkpoints > this.#lists + 1) {
      const due = checkpoints - 1
      rules.push(
        `forward there are ${checkpoints} checkpoints, which took ${due} dirty lists: ${this.#lists} here`,
      )
    }
    return rules
  }
}
