// QEMU's own scripts/analyze-migration.py, from the source package of Debian's QEMU: fetched once into dist/, never
// installed, and never read by us but for what it prints. A test that needs it asks first, and says so where it
// can't be had.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '..', '..', 'dist', 'qemu-reference')
const TARBALL = 'qemu_7.2+dfsg.orig.tar.xz'
const POOL = 'pool/main/q/qemu'
const FETCH_MS = 120_000
const APT = '/etc/apt'

export const REFERENCE_MISSING = "QEMU's analyze-migration.py can't be had here (no Debian mirror)"

/** The mirrors that apt is configured with. */
function mirrors(): string[] {
  const files = [join(APT, 'sources.list')]
  const parts = join(APT, 'sources.list.d')
  if (existsSync(parts)) files.push(...readdirSync(parts).map((name) => join(parts, name)))
  const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
  return [
    ...new Set(texts.flatMap((text) => text.match(/https?:\/\/[^\s/]+\/debian(?=\s|$|\/)/g) ?? [])),
  ]
}

function fetchTarball(): boolean {
  if (existsSync(join(FOLDER, TARBALL))) return true
  if (spawnSync('curl', ['--version']).status !== 0) return false
  return mirrors().some((mirror) => {
    const url = `${mirror}/${POOL}/${TARBALL}`
    const args = ['-sfL', '--max-time', String(FETCH_MS / 1000), '-o', TARBALL, url]
    return spawnSync('curl', args, { cwd: FOLDER, timeout: FETCH_MS }).status === 0
  })
}

/** The path of the script, or undefined. */
export function referenceScript(): string | undefined {
  if (spawnSync('python3', ['--version']).status !== 0) return undefined
  mkdirSync(FOLDER, { recursive: true })
  const script = join(FOLDER, 'qemu-7.2.0', 'scripts', 'analyze-migration.py')
  if (existsSync(script)) return script
  if (!fetchTarball()) return undefined
  const member = 'qemu-7.2.0/scripts/analyze-migration.py'
  spawnSync('tar', ['-xJf', TARBALL, member], { cwd: FOLDER, timeout: FETCH_MS })
  return existsSync(script) ? script : undefined
}
