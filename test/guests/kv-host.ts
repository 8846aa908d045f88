// What tests of the shipped guest share when they run it without a pair.

import { expect } from 'vitest'
import { Guest } from './host.ts'

/** Far more than any bounded call takes, and far less than the same takes without a limit. */
const PATIENCE_MS = 3000

/** Two clients are connected, and a key is there that must outlive what a test does. */
export function openKv(maximumPages = 1024): Guest {
  const guest = new Guest('kv', { maximumPages })
  guest.open(1)
  guest.open(2)
  guest.ask(2, 'SET', 'precious', '1')
  return guest
}

export const usedBytes = (guest: Guest, conn = 2): number =>
  Number(/used_memory:(\d+)/.exec(guest.ask(conn, 'INFO'))?.[1])

/** What `ask` gives, which must be there in time. */
export function inTime<T>(ask: () => T): T {
  const began = performance.now()
  const answer = ask()
  expect(performance.now() - began).toBeLessThan(PATIENCE_MS)
  return answer
}
