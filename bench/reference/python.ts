// The Python that the references run in, as the file that it is: what `python3` names may be a script that looks for
// it first, and would be measured with it.

import { spawnSync } from 'node:child_process'

let found: string | undefined

/** Undefined where there is none. */
export function pythonPath(): string | undefined {
  found ??= spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).stdout?.trim()
  return found || undefined
}
