// A fresh clone, with the npm of each Node that is supported, and the ways to get a command from it. Each test
// installs and builds all of it, which takes half a minute and a registry, so that it waits to be asked for.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  ENVIRONMENT,
  freshClone,
  hasGit,
  lockOf,
  npm,
  ownFolder,
  run,
  succeed,
  versionOf,
} from './npm.ts'

const isAsked = process.env.COLO_INSTALLATIONS !== undefined && hasGit
/** The npm that writes package-lock.json. */
const LOCK_WRITER = '11'
const PATIENCE_MS = 400_000

const built = (clone: string) => versionOf(join(clone, 'dist', 'bin', 'colo.cjs'), clone)
const changes = (clone: string) =>
  succeed(run('git', ['status', '--porcelain'], clone)).stdout.trim()

/** All but npm: a start that calls it fails. */
async function pathWithoutNpm(): Promise<string> {
  const folder = ownFolder()
  for (const name of ['node', 'sh', 'env', 'git']) {
    const found = run('sh', ['-c', `command -v ${name}`], folder).stdout.trim()
    succeed(run('ln', ['-s', found, join(folder, name)], folder))
  }
  return folder
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const needs = 'needs git and the npm registry; asked for by COLO_INSTALLATIONS=1'

describe.skipIf(!isAsked)(`a fresh clone (${needs})`, { timeout: PATIENCE_MS }, () => {
  test.each(['9', '10', '11'])('is installed and built by npm %s', async (major) => {
    const clone = freshClone()
    const lock = lockOf(clone)
    const npmOf = (...args: string[]) =>
      succeed(run('npx', ['--yes', `npm@${major}`, ...args], clone))
    expect(npmOf('--version').stdout).toMatch(new RegExp(`^${major}\\.`))
    npmOf('ci')
    expect(built(clone)).toMatch(/^\d+\.\d+\.\d+/)
    // Older ones know fewer fields, and write the lock file without them.
    if (major === LOCK_WRITER) npmOf('install')
    expect(lockOf(clone)).toBe(lock)
    expect(changes(clone)).toBe('')
    // As without a network: nothing is missing, so nothing is asked for.
    const env = { PATH: await pathWithoutNpm() }
    expect(succeed(run('node', ['setup.mjs'], clone, env)).stderr).not.toContain('installing')
  })

  test('is repaired by the next start when its installation was killed', async () => {
    const clone = freshClone()
    const child = spawn('node', ['setup.mjs'], {
      ...{ cwd: clone, env: ENVIRONMENT, stdio: 'ignore', detached: true },
    })
    const modules = join(clone, 'node_modules')
    await until('some packages', () => existsSync(modules) && readdirSync(modules).length > 10)
    expect(existsSync(join(modules, '.package-lock.json'))).toBe(false)
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    const { stdout } = succeed(npm(['start', '--', '--for', '3s', '--port', 'auto'], clone))
    expect(stdout).toContain('a protected, b protected')
    expect(changes(clone)).toBe('')
  })

  test('gives a command to a project that names its repository', async () => {
    const project = join(ownFolder(), 'project')
    await mkdir(project)
    succeed(npm(['init', '--yes'], project))
    const clone = freshClone()
    succeed(npm(['install', `git+file://${clone}`], project))
    const colo = join(project, 'node_modules', '.bin', 'colo')
    expect(versionOf(colo, project)).toMatch(/^\d+\.\d+\.\d+/)
    const prefix = join(ownFolder(), 'prefix')
    const globally = npm(
      ['install', '--global', '--prefix', prefix, `git+file://${clone}`],
      project,
    )
    expect(globally.code).not.toBe(0)
    expect(globally.stderr).toContain('npm install -g .')
  })

  test('gives a command to everybody, and a package', () => {
    const clone = freshClone()
    const prefix = join(ownFolder(), 'prefix')
    succeed(npm(['install', '--global', '--prefix', prefix, '.'], clone))
    expect(versionOf(join(prefix, 'bin', 'colo'), prefix)).toMatch(/^\d+\.\d+\.\d+/)
    expect(changes(clone)).toBe('')
    succeed(run('git', ['clean', '-fdxq'], clone))
    const packed = succeed(npm(['pack', '--json'], clone)).stdout
    expect(packed).toContain('dist/guests/kv.wasm')
  })
})
