// How many connections this process may hold, from the most files that it may have open: what the pair itself
// needs (the peer, the witness, the log, recordings, threads) is kept free, and strangers get a small part.

import { readFileSync } from 'node:fs'
import { LIMITS } from '../shared/protocol/limits.ts'

/** Listeners, threads, log, witness, recordings, run files, and both channels to the peer. */
const OWN_DESCRIPTORS = 48
/** Where the system does not say. */
const DESCRIPTORS_DEFAULT = 1024
const CLIENTS_MIN = 8
const STRANGERS_MIN = 8
const STRANGERS_SHARE = 16

export interface Places {
  readonly clients: number
  /** Connections without the token, on the control and on the data port each. */
  readonly strangers: number
  readonly operators: number
}

export function placesWith(descriptors: number): Places {
  const share = Math.max(STRANGERS_MIN, Math.floor(descriptors / STRANGERS_SHARE))
  const strangers = Math.min(LIMITS.strangersBurstMax, share)
  const operators = Math.min(LIMITS.operatorsMax, share)
  const left = descriptors - OWN_DESCRIPTORS - 2 * strangers - operators
  return {
    clients: Math.min(LIMITS.connectionsMax, Math.max(CLIENTS_MIN, left)),
    strangers,
    operators,
  }
}

/** RLIMIT_NOFILE as it is now. */
export function descriptorsMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
    if (soft === 'unlimited') return Number.MAX_SAFE_INTEGER
    return soft === undefined ? DESCRIPTORS_DEFAULT : Number(soft)
  } catch {
    return DESCRIPTORS_DEFAULT
  }
}
