// Xen's own verify-stream-v2, as Debian packages it: pure Python, fetched once into dist/ and never
// installed. Undefined where there is no Python 3, or no Debian to have the package from.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const PACKAGE = 'xen-utils-4.17'
const FETCH_MS = 60_000

export interface XenReference {
  /** To be run by `python3`. */
  readonly script: string
  readonly env: NodeJS.ProcessEnv
}

const here = dirname(import.meta.dirname)
/** The folder of what is built, whether this file runs as source or compiled. */
const built = basename(here) === 'dist' ? here : join(here, 'dist')

export function xenReference(): XenReference | undefined {
  const folder = join(built, 'xen')
  const home = join(folder, 'usr', 'lib', 'xen-4.17')
  const script = join(home, 'bin', 'verify-stream-v2')
  if (spawnSync('python3', ['--version']).status !== 0) return undefined
  if (!existsSync(script)) {
    mkdirSync(folder, { recursive: true })
    spawnSync('apt-get', ['download', '-q', PACKAGE], { cwd: folder, timeout: FETCH_MS })
    const file = readdirSync(folder).find((name) => name.endsWith('.deb'))
    if (file === undefined) return undefined
    spawnSync('dpkg', ['-x', file, '.'], { cwd: folder, timeout: FETCH_MS })
  }
  if (!existsSync(script)) return undefined
  return { script, env: { ...process.env, PYTHONPATH: join(home, 'lib', 'python') } }
}
