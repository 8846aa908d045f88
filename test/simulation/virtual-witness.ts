// The register behind a network of its own: a question may be lost on the way there or its answer on the way
// back, answers come late, and a write may land long after its writer has given up. What lands is a
// compare-and-set exactly as the port says.

import type { Witness, WitnessAnswer } from '../../shared/ports.ts'
import {
  sameHolder,
  type Generation,
  type Holder,
  type Register,
} from '../../shared/protocol/register.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'

const UNREACHED: WitnessAnswer = { reached: false, register: undefined }

export class VirtualWitness {
  register: Register | undefined
  reachable = true
  awayFor: Process | undefined
  /** Shares of questions and answers that get lost. */
  loss = 0
  readonly #history: (Register | undefined)[] = []

  /** A restored backup: the register of some generations ago. */
  goBack(steps: number): void {
    for (let i = 0; i < steps && this.#history.length > 0; i++) this.register = this.#history.pop()
  }

  /** The door of one process to it. */
  door(simulation: Simulation, process: Process): Witness {
    const ask = (what: () => Register | undefined, answer: (answer: WitnessAnswer) => void) => {
      this.#ask(simulation, process, what, answer)
    }
    return {
      kind: 'virtual',
      shared: true,
      warning: undefined,
      learn() {},
      grant() {},
      read: (answer) => ask(() => this.register, answer),
      compareAndSet: (from, holder, answer) => {
        simulation.moment(`asked:${holder.kind}`, process)
        ask(() => this.#write(simulation, from, holder), answer)
      },
    }
  }

  #ask(
    simulation: Simulation,
    process: Process,
    what: () => Register | undefined,
    answer: (answer: WitnessAnswer) => void,
  ): void {
    const { chance, time } = simulation
    const { life } = process
    const tell = (reply: WitnessAnswer) => {
      time.at(time.now + chance.delay(2), () => process.run(life, () => answer(reply)))
    }
    time.at(time.now + chance.delay(2), () => {
      if (!this.reachable || this.awayFor === process) {
        // A write may land long after its writer has given it up.
        if (chance.happens(0.3)) time.at(time.now + chance.between(1, 250), () => void what())
        return chance.happens(0.5) ? tell(UNREACHED) : undefined
      }
      if (chance.happens(this.loss)) return undefined
      const register = what()
      return chance.happens(this.loss) ? undefined : tell({ reached: true, register })
    })
  }

  #write(simulation: Simulation, from: Generation, holder: Holder): Register | undefined {
    if ((this.register?.generation ?? 0) === from) {
      this.#history.push(this.register)
      this.register = { generation: from + 1, holder }
      simulation.checkers.registered(this.register)
      if (holder.kind === 'stopped') simulation.forgive()
      simulation.log('witness', () => JSON.stringify(this.register))
    }
    const { register } = this
    if (register?.generation === from + 1 && sameHolder(register.holder, holder)) return register
    return register
  }
}
