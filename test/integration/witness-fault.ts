// The folder of the register goes away and comes back, as a share does that is unmounted, or whose path something
// else has taken.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'

export const WITNESS_FAULTS = {
  empty: 'an empty folder is in its place, as below a mount point',
  missing: 'nothing is in its place',
  unreadable: 'a file is in its place, so that every read is an error',
} as const

export type WitnessFault = keyof typeof WITNESS_FAULTS

/** `paths`: of the folder, as the sides that see the fault name it. */
export function takeAway(paths: readonly string[], fault: WitnessFault): void {
  for (const path of paths) {
    renameSync(path, `${path}.away`)
    if (fault === 'empty') mkdirSync(path)
    if (fault === 'unreadable') writeFileSync(path, '')
  }
}

/** Throws if a side wrote something in its place. */
export function bringBack(paths: readonly string[], fault: WitnessFault): void {
  for (const path of paths) {
    if (fault === 'missing' && existsSync(path)) throw new Error(`${path} was made`)
    if (fault === 'empty' && readdirSync(path).length > 0) throw new Error(`${path} was written`)
    if (fault === 'empty') rmdirSync(path)
    if (fault === 'unreadable') rmSync(path)
    renameSync(`${path}.away`, path)
  }
}
