// What a seed does to the pair: some faults at times of their own, some at the moments that matter most (a READY
// on its way, the pair just asked for, a claim just written), each drawn from one table.

import { PAGE_BYTES } from '../../shared/guest.ts'
import type { Chance } from './chance.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'

type Fault = (simulation: Simulation, victim: Process) => void

/** Which ends hear of a cut. */
const noticedBy = (simulation: Simulation) => () =>
  simulation.chance.pick<readonly number[]>([[0, 1], [0, 1], [0], [1], []])

const restartLater = (simulation: Simulation, process: Process) => {
  const { time, chance } = simulation
  const after = chance.happens(0.5) ? chance.between(0.1, 15) : chance.between(15, 300)
  time.at(time.now + after, () => process.start())
}

/** Another store is in the place of the true one for a while, or until everything heals. */
const swapFor = (simulation: Simulation, what: 'missing' | 'foreign' | 'older', steps: number) => {
  const { time, chance, witness } = simulation
  if (!witness.isTrue) return
  witness.swap(what, steps)
  const after = chance.happens(0.7) ? chance.between(5, 400) : Number.POSITIVE_INFINITY
  if (Number.isFinite(after)) time.at(time.now + after, () => witness.swapBack())
  if (what === 'older') witness.replay(simulation)
  // An operator who sees it goes on with what waits, on one side or on both.
  if (!chance.happens(0.4)) return
  for (const process of simulation.processes) {
    if (chance.happens(0.7)) {
      time.at(time.now + chance.between(20, 300), () => simulation.adopt(process))
    }
  }
}

/** Name, weight, what happens. */
const FAULTS: readonly (readonly [string, number, Fault])[] = [
  [
    'crash',
    5,
    (simulation, victim) => {
      victim.die(simulation.chance.happens(0.3))
      restartLater(simulation, victim)
    },
  ],
  [
    'both crash',
    0.6,
    (simulation, victim) => {
      for (const process of [victim, victim.other]) {
        process.die(simulation.chance.happens(0.3))
        restartLater(simulation, process)
      }
    },
  ],
  [
    'stop and continue',
    2.5,
    (simulation, victim) => {
      const { time, chance } = simulation
      victim.pause()
      time.at(time.now + chance.between(5, 250), () => victim.resume())
    },
  ],
  ['cut', 3, (simulation) => simulation.network.cut('all', noticedBy(simulation))],
  ['cut data', 2, (simulation) => simulation.network.cut('data', noticedBy(simulation))],
  [
    'partition',
    3,
    (simulation) => {
      const { time, chance } = simulation
      simulation.connected = false
      simulation.network.cut('all', noticedBy(simulation))
      time.at(time.now + chance.between(5, 600), () => {
        simulation.connected = true
      })
    },
  ],
  [
    'freeze',
    3,
    (simulation) => {
      const { time, chance } = simulation
      simulation.network.freeze()
      time.at(time.now + chance.between(5, 300), () => simulation.network.thaw())
    },
  ],
  [
    'flip a bit of the data channel',
    1,
    ({ network, chance }) => network.flipBit(chance.happens(0.5) ? PAGE_BYTES : 1),
  ],
  [
    'witness away for one',
    1,
    (simulation, victim) => {
      const { time, chance, witness } = simulation
      witness.awayFor = victim
      time.at(time.now + chance.between(5, 250), () => {
        witness.awayFor = undefined
      })
    },
  ],
  [
    'witness away',
    2,
    (simulation) => {
      const { time, chance, witness } = simulation
      witness.reachable = false
      time.at(time.now + chance.between(5, 250), () => {
        witness.reachable = true
      })
    },
  ],
  ['guest trap', 0.6, (_, victim) => victim.alive && victim.guest.die()],
  ['verb failover', 1, (simulation, victim) => simulation.command(victim, 'failover')],
  ['verb failback', 0.3, (simulation, victim) => simulation.command(victim, 'failback')],
  [
    'verb pause',
    0.5,
    (simulation, victim) => {
      simulation.command(victim, 'pause')
      simulation.time.at(simulation.time.now + 40, () => simulation.command(victim, 'resume'))
    },
  ],
  [
    'verb stop',
    0.6,
    (simulation, victim) => {
      simulation.command(victim, 'stop')
      restartLater(simulation, victim)
    },
  ],
  [
    'verb stop --pair',
    0.6,
    (simulation, victim) => {
      simulation.stopPair(victim)
      for (const process of [victim, victim.other]) restartLater(simulation, process)
    },
  ],
  ['verb start-over', 0.5, (simulation, victim) => simulation.startOver(victim)],
  ['verb adopt', 1, (simulation, victim) => simulation.adopt(victim)],
  [
    'both crash, and the witness is restored from a backup',
    0.4,
    (simulation, victim) => {
      for (const process of [victim, victim.other]) {
        process.die(false)
        restartLater(simulation, process)
      }
      simulation.witness.goBack(simulation.chance.pick([1, 2, 3, Infinity]))
      simulation.checkers.obeyed(simulation.witness.register?.generation ?? 0)
      simulation.forgive()
    },
  ],
  [
    'the host is replaced',
    0.7,
    (simulation, victim) => {
      victim.loseDisk()
      // Nobody remembers the pair: it may be founded anew without an operator's word.
      if (!simulation.hasSeen(simulation.witness.authority?.pair ?? '')) simulation.forgive()
      restartLater(simulation, victim)
    },
  ],
  [
    'verb start-over without its words',
    1.2,
    (simulation, victim) => simulation.askToStartOver(victim),
  ],
  ['the register is missing', 2, (simulation) => swapFor(simulation, 'missing', 0)],
  ["another pair's register", 0.7, (simulation) => swapFor(simulation, 'foreign', 0)],
  [
    'the register is put back to an older copy',
    2,
    (simulation) => {
      const steps = simulation.chance.pick([1, 1, 2, 3, 5])
      if (simulation.mayRestore(steps)) swapFor(simulation, 'older', steps)
    },
  ],
]

const MOMENTS = ['ready', 'captured', 'asked:pair', 'asked:alone'] as const

export interface Trigger {
  readonly moment: string
  /** Which of the moments of this kind, from 1. */
  nth: number
  readonly strike: (process: Process) => void
}

function draw(chance: Chance): readonly [string, number, Fault] {
  const total = FAULTS.reduce((sum, [, weight]) => sum + weight, 0)
  let at = chance.between(0, total)
  for (const fault of FAULTS) {
    at -= fault[1]
    if (at < 0) return fault
  }
  return FAULTS[0]
}

function strike(
  simulation: Simulation,
  victim: Process,
  [name, , fault]: ReturnType<typeof draw>,
): void {
  simulation.log('fault', () => `${name} (${victim.name})`)
  fault(simulation, victim)
}

/** Faults until `horizonMs`; what waits for a moment is returned. */
export function planFaults(simulation: Simulation, horizonMs: number): Trigger[] {
  const { chance, time, processes } = simulation
  for (let faults = chance.below(5); faults > 0; faults--) {
    const fault = draw(chance)
    const victim = chance.pick(processes)
    time.at(chance.between(10, horizonMs), () => strike(simulation, victim, fault))
  }
  const triggers: Trigger[] = []
  for (let count = chance.below(5); count > 0; count--) {
    const fault = draw(chance)
    const late = chance.happens(0.5) ? 0 : chance.delay(0.5)
    const other = chance.happens(0.4)
    triggers.push({
      moment: chance.pick(MOMENTS),
      nth: chance.happens(0.6) ? 1 + chance.below(3) : 1 + chance.below(20),
      strike: (process) => {
        time.at(time.now + late, () => strike(simulation, other ? process.other : process, fault))
      },
    })
  }
  return triggers
}
