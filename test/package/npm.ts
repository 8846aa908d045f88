// Real npm, as somebody types it in a terminal: without what the npm that runs these tests has put into the
// environment.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ROOT } from '../checkout.ts'

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Environment = Readonly<Record<string, string | undefined>>

const OF_NPM =
  /^(npm_(lifecycle|package|command|execpath|node_execpath|config_(local_|global_)?prefix)|INIT_CWD|NODE_ENV|VITEST)/

const PATH = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.endsWith(join('node_modules', '.bin')))
  .join(delimiter)

export const ENVIRONMENT: Environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_NPM.test(name))),
  PATH,
}

/** A folder that is gone after the test. Its name has no links in it. */
export function ownFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'colo-package-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Environment = {},
): Result {
  const options = { cwd, env: { ...ENVIRONMENT, ...env }, encoding: 'utf8' } as const
  const { status, stdout, stderr, error } = spawnSync(command, args, options)
  if (error !== undefined) throw error
  return { code: status, stdout, stderr }
}

export const npm = (args: readonly string[], cwd: string, env: Environment = {}) =>
  run('npm', args, cwd, env)

/** Throws with all that was said if it fails. */
export function succeed({ code, stdout, stderr }: Result): Result {
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`)
  return { code, stdout, stderr }
}

/** What a clone does not have. */
const NOT_CLONED = new Set(['node_modules', 'dist', 'coverage', '.colo', '.git'])

/** This checkout as a fresh clone: a repository with all its files committed, and nothing built. */
export function freshClone(): string {
  const clone = join(ownFolder(), 'clone')
  cpSync(ROOT, clone, {
    recursive: true,
    filter: (path) => path === ROOT || !NOT_CLONED.has(basename(path)),
  })
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  for (const args of [
    ['init', '--quiet', '--initial-branch', 'main'],
    ['add', '--all'],
    [...author, 'commit', '--quiet', '--message', 'all'],
  ]) {
    succeed(run('git', args, clone))
  }
  return clone
}

export const lockOf = (folder: string) => readFileSync(join(folder, 'package-lock.json'), 'utf8')

/** What an installed `colo` says of itself. */
export function versionOf(colo: string, cwd: string): string {
  return succeed(run(colo, ['--version'], cwd)).stdout.trim()
}

export const hasGit = existsSync('/usr/bin/git') || spawnSync('git', ['--version']).status === 0
