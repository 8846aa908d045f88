// What `colo up` does to its own pair: `--kill primary@4s`, `--hang secondary@2s`. Times count from the first
// `protected`; the role is looked up when the time has come.

import type { Role } from '../../shared/protocol/words.ts'
import { parseDuration, showSeconds } from '../../terminal/units.ts'

export interface Injection {
  readonly kind: 'kill' | 'hang'
  readonly role: Role
  readonly atMs: number
}

/** `primary@4s` or `secondary@500ms`. Throws with what it expects. */
export function parseInjection(kind: Injection['kind'], text: string): Injection {
  const match = /^(primary|secondary)@(.+)$/.exec(text)
  if (match === null) {
    throw new Error(`${JSON.stringify(text)}: write primary@4s or secondary@500ms`)
  }
  return { kind, role: match[1] as Role, atMs: parseDuration(match[2] ?? '') }
}

export function describeInjection({ kind, role, atMs }: Injection): string {
  return `${kind} ${role}@${showSeconds(atMs).replace(' ', '')}`
}
