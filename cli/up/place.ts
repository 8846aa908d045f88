// The folder of a pair that `colo up` makes: its name begins with `up-`, and it holds the pid of the `colo up`
// that made it, so that `colo clean` knows what may go.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '../../daemon/living-process.ts'
import { fileError } from '../../terminal/file-error.ts'

export const UP_PREFIX = 'up-'
export const UP_PID_FILE = 'up.pid'

export interface Place {
  readonly dir: string
  readonly pair: string
  readonly home: string
  readonly tokenFile: string
}

/** A fresh name of a pair, and its folder. Raises CliError where no folder can be made. */
export function makePlace(dir: string): Place {
  try {
    mkdirSync(dir, { recursive: true })
    for (let time = Date.now(); ; time++) {
      const pair = `${UP_PREFIX}${time.toString(36)}`
      const home = join(dir, pair)
      if (!madeFolder(home)) continue
      writeFileSync(join(home, UP_PID_FILE), `${process.pid}\n`)
      return { dir, pair, home, tokenFile: join(home, 'token') }
    }
  } catch (error) {
    throw fileError(`--dir ${dir}`, error, 'write')
  }
}

/** False if it is there already. */
function madeFolder(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A start that was refused leaves nothing behind. */
export function removePlace({ home }: Place): void {
  rmSync(home, { recursive: true, force: true })
}

/** The `colo up` that made this folder, if it still runs. */
export function livingUp(home: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(home, UP_PID_FILE), 'utf8'))
    return pid > 0 && isAlive(pid) ? pid : undefined
  } catch {
    return undefined
  }
}
