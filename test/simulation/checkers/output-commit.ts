// Watches every byte that leaves a side: it was said before a capture that a secondary has committed, or its
// side is the owner by the register as it stands at that moment and has not yet begun to give the guest away.

import type { Register } from '../../../shared/protocol/register.ts'
import type { Process } from '../process.ts'
import { decodeAnswer } from '../virtual-guest.ts'
import type { Facts } from './facts.ts'

/** Whoever goes on from a checkpoint has all that ever left. */
export function checkGoesOn(facts: Facts, process: Process): string | undefined {
  const newest = facts.newest(process)
  if (newest === undefined || facts.adopting || !facts.hasMoreLeft(newest)) return undefined
  return `${process.name} goes on from capture ${newest.captures}, and what was said after it has left`
}

export function checkReleased(
  facts: Facts,
  register: Register | undefined,
  process: Process,
  bytes: Uint8Array,
): string | undefined {
  const { instance, captures } = decodeAnswer(bytes)
  facts.left(instance, captures)
  if (facts.isCommitted(instance, captures + 1)) return undefined
  const { record, peerIncarnation } = process.side
  const holder = register?.holder
  if (holder?.kind !== 'alone' || holder.owner !== record.incarnation) {
    return `${process.name} released what no secondary has committed, and the register does not name it alone`
  }
  const seed = facts.seeds.get(process)
  const inSession = peerIncarnation !== undefined && seed?.session === record.session
  if (inSession && captures >= seed.captures) {
    return `${process.name} released what was said after the first capture of its session, uncommitted`
  }
  return undefined
}
