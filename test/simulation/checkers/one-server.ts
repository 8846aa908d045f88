// Watches who serves: whoever begins to is the owner by the register at that moment, and two sides never stand
// alone at once.

import type { Register } from '../../../shared/protocol/register.ts'
import type { Process } from '../process.ts'

export function checkServes(register: Register | undefined, process: Process): string | undefined {
  const holder = register?.holder
  const { incarnation } = process.side.record
  if (holder?.kind === 'alone' && holder.owner === incarnation) return undefined
  return `${process.name} (${incarnation.slice(0, 4)}) serves while the register is ${JSON.stringify(register)}`
}

export function checkAlone(processes: readonly Process[]): string | undefined {
  const alone = processes.filter(
    (one) => one.alive && one.serving && one.side.state === 'standalone',
  )
  return alone.length > 1 ? 'both sides stand alone' : undefined
}
