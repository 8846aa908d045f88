// Xen's own verify-stream-v2, as Debian packages it: pure Python, fetched once into dist/ and never installed.
// A test that needs it asks first and says so where it can't be had.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE = 'xen-utils-4.17'
const FETCH_MS = 60_000

export interface Verdict {
  readonly status: number | null
  readonly message: string
}

/** `format` is its option -f. */
export type Verifier = (file: string, format?: 'libxl' | 'libxc' | 'xl') => Verdict

/** Undefined where there is no Python 3, or no Debian to have the package from. */
export function xenVerifier(): Verifier | undefined {
  const folder = join(import.meta.dirname, '..', '..', 'dist', 'xen')
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
  return (file, format = 'libxl') => {
    const env = { ...process.env, PYTHONPATH: join(home, 'lib', 'python') }
    const run = spawnSync('python3', [script, '-f', format, '-i', file], { env })
    // Behind the exception that it did not expect it asks to be mended.
    const lines = String(run.stderr).trim().split('\n')
    const message = lines.findLast((line) => line !== '' && line !== 'Please fix me') ?? ''
    return { status: run.status, message }
  }
}
