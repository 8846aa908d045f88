// Two courses of events that chance alone hardly ever finds, for some of the seeds: each is a counter-example to a
// weaker rule (docs/protocol.md, "Weaker rules that fail"). The seed still draws every delay.

import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'

/** What waits for a moment, in addition to the faults of the plan. */
export interface Trap {
  readonly moment: string
  readonly strike: (process: Process) => void
}

/**
 * One side wins its claim, and the register disappears before the other has read that. An operator adopts on the
 * other, which waits: the winner serves.
 */
function lostAfterTheClaim(simulation: Simulation): Trap[] {
  const { time, chance, witness } = simulation
  let isSprung = false
  return [
    {
      moment: 'protected',
      strike: () => {
        if (isSprung) return
        isSprung = true
        simulation.network.cut('all', () => [0, 1])
      },
    },
    {
      moment: 'won',
      strike: (winner) => {
        if (!isSprung) return
        witness.swap('missing', 0)
        time.at(time.now + chance.between(400, 600), () => witness.swapBack())
        for (let i = 0; i < 4; i++) {
          time.at(time.now + chance.between(20, 300), () => simulation.adopt(winner.other))
        }
      },
    },
  ]
}

/**
 * The pair is asked for and the session ends unheard, so that the primary writes alone(me) twice: from the register
 * before the pair, and from the pair. The secondary's claim is late. The store is put back to before all of them,
 * and what was late lands on it.
 */
function lateWritesOnACopy(simulation: Simulation): Trap[] {
  const { time, chance, witness } = simulation
  let isSprung = false
  return [
    {
      moment: 'asked:pair',
      strike: (primary) => {
        if (isSprung) return
        isSprung = true
        // The answer to the pair comes later than the end of the session.
        witness.deafFor = primary
        time.at(time.now + chance.between(3, 6), () => {
          witness.deafFor = undefined
        })
        time.at(time.now + chance.between(0, 2), () => simulation.network.cut('all', () => [0, 1]))
      },
    },
    {
      moment: 'asked:alone',
      strike: (process) => {
        if (!isSprung || process.side.role !== 'secondary') return
        witness.awayFor = process
        time.at(time.now + chance.between(80, 120), () => {
          witness.awayFor = undefined
        })
      },
    },
    {
      moment: 'won',
      strike: (winner) => {
        if (!isSprung || winner.side.role !== 'primary' || !simulation.mayRestore(2)) return
        time.at(time.now + chance.between(1, 5), () => {
          if (!simulation.mayRestore(2)) return
          witness.swap('older', 2)
          witness.replay(simulation)
          time.at(time.now + chance.between(200, 400), () => witness.swapBack())
        })
      },
    },
  ]
}

/** None for most seeds. */
export function trapsOf(simulation: Simulation): readonly Trap[] {
  const draw = simulation.chance.between(0, 1)
  if (draw < 0.04) return lostAfterTheClaim(simulation)
  return draw < 0.08 ? lateWritesOnACopy(simulation) : []
}
