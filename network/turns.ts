// Questions of operators who have not shown the token are answered one after the other, whoever asks, and
// nothing is answered for as long as the last answer took: together they take at most half of the event loop,
// and never more than one answer at a time.

import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'

export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** The result of `run`, once it had its turn. */
  async take<T>(run: () => Promise<T>): Promise<T> {
    const before = this.#last
    let tookMs = 0
    const turn = before.then(async () => {
      const began = performance.now()
      try {
        return await run()
      } finally {
        tookMs = performance.now() - began
      }
    })
    const rest = async () => {
      if (tookMs >= 1) await delay(tookMs, undefined, { ref: false })
      else await nextTurn()
    }
    this.#last = turn.then(rest, rest)
    return turn
  }
}
