// Watches the numbers: within a life neither the generation nor the epoch of a side ever falls, and the register
// grows by one at a time.

import type { Register } from '../../../shared/protocol/register.ts'
import type { Process } from '../process.ts'

interface Seen {
  generation: number
  epoch: number
}

export class OnlyForward {
  readonly #seen = new Map<Process, Seen>()
  #register = 0

  started(process: Process): void {
    this.#seen.set(process, { generation: 0, epoch: 0 })
  }

  /** An operator said that the register is right as it is. */
  obeyed(generation: number): void {
    this.#register = generation
  }

  registered(register: Register): string | undefined {
    const before = this.#register
    this.#register = register.generation
    if (register.generation === before + 1) return undefined
    return `the register went from ${before} to ${register.generation}`
  }

  look(process: Process, mayObey: boolean): string | undefined {
    const { generation, epoch } = process.side.record
    const seen = this.#seen.get(process)!
    const { generation: g, epoch: e } = seen
    seen.generation = generation
    seen.epoch = epoch
    if (epoch < e) return `${process.name}: epoch ${epoch} after ${e}`
    if (generation < g && !mayObey) return `${process.name}: generation ${generation} after ${g}`
    return undefined
  }
}
