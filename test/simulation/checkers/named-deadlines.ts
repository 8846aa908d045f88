// Watches that no side waits for ever: only standing alone may last; every other state is left, for another or
// to try the same again, within the longest delay there is. A process that is stopped is given its time.

import type { Register } from '../../../shared/protocol/register.ts'
import type { Process } from '../process.ts'

const LONGEST_MS = 600

/** How long a secondary may not know that the register has passed it over, while the witness answers. */
const UNAWARE_MS = 400

/** Standing alone lasts, and so does waiting for an operator with a state that nobody may throw away. */
function mayLast(process: Process): boolean {
  const { state, record } = process.side
  return state === 'standalone' || (state === 'halted' && record.holdsState)
}

interface Stay {
  value: unknown
  since: number
}

export class NamedDeadlines {
  readonly #stays = new Map<Process, Stay>()
  readonly #unaware = new Map<Process, number>()

  started(process: Process, now: number): void {
    this.#stays.set(process, { value: undefined, since: now })
  }

  /** A process that was stopped could not look: its waits begin anew. */
  continued(process: Process, now: number): void {
    this.#stays.set(process, { value: undefined, since: now })
    this.#unaware.set(process, now)
  }

  look(process: Process, now: number): string | undefined {
    const stay = this.#stays.get(process)!
    const value = process.side.stateValue
    if (value !== stay.value || process.stopped || mayLast(process)) {
      stay.value = value
      stay.since = now
      return undefined
    }
    if (now - stay.since < LONGEST_MS) return undefined
    return `${process.name} has been in ${JSON.stringify(value)} for ${Math.round(now - stay.since)} ms`
  }

  /** A seeded secondary keeps its state until a newer generation omits it, and not for longer. */
  lookAtClaim(
    process: Process,
    register: Register | undefined,
    asked: boolean,
    now: number,
  ): string | undefined {
    const { record, stateValue, role } = process.side
    const claims =
      role === 'secondary' && typeof stateValue === 'object' && 'claiming' in (stateValue as object)
    const passedOver =
      register !== undefined &&
      record.known !== undefined &&
      register.earlier.includes(record.known.nonce) &&
      !(register.holder.kind === 'pair' && register.holder.secondary === record.incarnation)
    if (!claims || !passedOver || !asked || process.stopped) {
      this.#unaware.set(process, now)
      return undefined
    }
    const since = this.#unaware.get(process) ?? now
    if (now - since < UNAWARE_MS) return undefined
    return `${process.name} has not noticed for ${Math.round(now - since)} ms that the register omits it`
  }
}
