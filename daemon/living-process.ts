// Whether a process that a file names by its pid still runs. A pid is given again, in a container within seconds, so
// a file also holds when its process began, where the system tells (Linux); and a process that has ended and that
// its parent has not collected yet does not run.

import { readFileSync } from 'node:fs'

export interface ProcessId {
  readonly pid: number
  /** The boot and the moment of the start; undefined where the system does not tell. */
  readonly started?: string
}

const STATE = 0
const START_TIME = 19
const ENDED = new Set(['Z', 'X'])

interface Stat {
  readonly ended: boolean
  readonly started: string
}

function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name of the program stands in parentheses and may have anything in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return { ended: ENDED.has(fields[STATE]), started: `${boot} ${fields[START_TIME]}` }
  } catch {
    return undefined
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return statOf(pid)?.ended !== true
}

/** The process `pid` runs, and is the one that was meant. */
export function isRunning({ pid, started }: ProcessId): boolean {
  if (!isAlive(pid)) return false
  return started === undefined || started === (statOf(pid)?.started ?? started)
}

export function thisProcess(): ProcessId {
  return { pid: process.pid, started: statOf(process.pid)?.started }
}

export function isThisProcess(other: ProcessId): boolean {
  return other.pid === process.pid && isRunning(other)
}
