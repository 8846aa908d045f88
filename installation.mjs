// Installs the packages that package-lock.json names, and calls npm only where something else is there. What counts
// is contents and never a time: a stamp inside node_modules holds the digest of the lock file and of npm's own record of
// what it installed. The stamp is removed first and written last, so an installation that was interrupted has none and is
// made anew.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, env, platform } from 'node:process'

const LOCK = 'package-lock.json'
/** Written by npm when it has installed everything. */
const RECORD = 'node_modules/.package-lock.json'
const STAMP = 'node_modules/.colo-pair-installed'

// npm hands the options of the command that it runs down by the environment. `npm publish --dry-run`, `npm install -g`
// and `npm ci --omit=dev` must not make a dry run, a global installation or half of one here.
const NPM_CI = [
  'ci',
  ...['--no-dry-run', '--no-package-lock-only', '--no-global', '--location=project'],
  ...['--include=dev', '--include=optional'],
  // No package needs a script, and the one of this checkout is what is running.
  '--ignore-scripts',
  ...['--no-audit', '--no-fund', '--loglevel=error'],
]

/**
 * Returns false, with nothing done, where npm has just installed this checkout without the packages that building needs.
 * Throws if npm fails.
 */
export function install() {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest()) return true
  if (isScriptOfInstallation()) {
    if (!isComplete()) return false
    writeFileSync(STAMP, digest())
    return true
  }
  console.error(`setup: installing the packages that ${LOCK} names ...`)
  rmSync(STAMP, { force: true })
  const { status, error } = spawnSync('npm', NPM_CI, { stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    const why = error === undefined ? '' : ` (${error.message})`
    throw new Error(`the installation failed${why}: npm ${NPM_CI.join(' ')}`)
  }
  writeFileSync(STAMP, digest())
  return true
}

/** Of another machine's kind the lock file names other binaries. */
function digest() {
  const hash = createHash('sha256').update(`${platform} ${arch}\n`)
  for (const file of [LOCK, RECORD]) if (existsSync(file)) hash.update(readFileSync(file))
  return `${hash.digest('hex')}\n`
}

/** This is the `prepare` of an `npm ci` or `npm install` in this folder, which has installed everything by now. */
function isScriptOfInstallation() {
  return (
    env.npm_lifecycle_event === 'prepare' &&
    ['ci', 'install'].includes(env.npm_command) &&
    env.npm_config_global !== 'true' &&
    env.npm_config_local_prefix === process.cwd()
  )
}

/** npm's record has every package of the lock file, but for binaries of other machines. */
function isComplete() {
  if (!existsSync(RECORD)) return false
  const [wanted, found] = [LOCK, RECORD].map(
    (file) => JSON.parse(readFileSync(file, 'utf8')).packages,
  )
  return Object.entries(wanted).every(
    ([path, { version, integrity, optional }]) =>
      path === '' ||
      optional ||
      (found[path]?.version === version && found[path].integrity === integrity),
  )
}
