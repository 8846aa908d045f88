// Watches the memory of the secondary: what it says READY for was captured, what it has applied is exactly that,
// and what a promoted side goes on from is the newest that it has said READY for.

import { digestOf } from '../../../shared/memory/memory-digest.ts'
import type { Process } from '../process.ts'
import type { Facts } from './facts.ts'

export function checkReady(facts: Facts, process: Process): string | undefined {
  if (facts.committed(process)) return undefined
  return `${process.name} sent READY for epoch ${process.side.record.epoch}, which nobody captured`
}

export function checkApplied(facts: Facts, process: Process): string | undefined {
  const expected = facts.newest(process)
  if (expected === undefined) return `${process.name} applied what it never committed`
  const memory = digestOf(process.guest.store.pages)
  if (expected.digest.startsWith(`${memory}/`)) return undefined
  return `${process.name} has memory ${memory} after a commit of ${expected.digest}`
}

export function checkLoaded(facts: Facts, process: Process, digest: string): string | undefined {
  const expected = facts.newest(process)?.digest
  if (digest === expected) return undefined
  return `${process.name} goes on from ${digest}, the newest it sent READY for is ${expected}`
}
