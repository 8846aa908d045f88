// Watches that no side waits for ever: only standing alone may last; every other state is left, for another or
// to try the same again, within the longest delay there is. A process that is stopped is given its time.

import type { Process } from '../process.ts'

const LONGEST_MS = 400

interface Stay {
  value: unknown
  since: number
}

export class NamedDeadlines {
  readonly #stays = new Map<Process, Stay>()

  started(process: Process, now: number): void {
    this.#stays.set(process, { value: undefined, since: now })
  }

  look(process: Process, now: number): string | undefined {
    const stay = this.#stays.get(process)!
    const value = process.side.stateValue
    if (value !== stay.value || process.stopped || value === 'standalone') {
      stay.value = value
      stay.since = now
      return undefined
    }
    if (now - stay.since < LONGEST_MS) return undefined
    return `${process.name} has been in ${JSON.stringify(value)} for ${Math.round(now - stay.since)} ms`
  }
}
