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

/** A cold guest belongs to a pair that has none: its founder was told so, or an operator starts over. */
export function checkCold(process: Process, startsOver: boolean): string | undefined {
  if (process.ending) return `${process.name} begins a cold guest while it is being stopped`
  if (process.told === 'primary' || startsOver) return undefined
  return `${process.name} founds the pair without having been told`
}

/** Protected shows once the register names the pair, not before. */
export function checkProtected(
  register: Register | undefined,
  process: Process,
): string | undefined {
  const { role, record } = process.side
  if (role !== 'primary' || register?.generation !== record.generation) return undefined
  if (register.holder.kind === 'pair' || process.side.state !== 'protected') return undefined
  return `${process.name} shows protected while the register is ${JSON.stringify(register)}`
}
