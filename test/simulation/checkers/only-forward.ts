// Watches the numbers: within a life neither the generation nor the epoch of a side ever falls, and the register
// grows.

import type { Register } from '../../../shared/protocol/register.ts'
import type { Process } from '../process.ts'

interface Seen {
  generation: number
  epoch: number
}

export class OnlyForward {
  readonly #seen = new Map<Process, Seen>()
  #register = 0
  #pair = ''

  started(process: Process): void {
    this.#seen.set(process, { generation: 0, epoch: 0 })
  }

  /** An operator said that the register is right as it is. */
  obeyed(generation: number): void {
    this.#register = generation
  }

  registered(register: Register): string | undefined {
    const before = register.pair === this.#pair ? this.#register : 0
    this.#pair = register.pair
    this.#register = register.generation
    if (register.generation > before) return undefined
    return `the register went from ${before} to ${register.generation}`
  }

  look(process: Process, mayObey: boolean): string | undefined {
    // A side that holds nothing takes over the register of the owner that welcomes it, whatever it has seen.
    const { generation, epoch, holdsState } = process.side.record
    const seen = this.#seen.get(process)!
    const { generation: g, epoch: e } = seen
    seen.generation = generation
    seen.epoch = epoch
    if (epoch < e) return `${process.name}: epoch ${epoch} after ${e}`
    if (generation < g && holdsState && !mayObey)
      return `${process.name}: generation ${generation} after ${g}`
    return undefined
  }
}
