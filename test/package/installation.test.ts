// What `npm start` installs: everything once, nothing where it is there already, all of it again where something else
// is there. Real npm installs one small package from a file, so that no registry is asked; a script before it in PATH
// counts its calls.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../checkout.ts'
import { ENVIRONMENT, npm, ownFolder, run, succeed, type Result } from './npm.ts'

const INSTALLATION = pathToFileURL(join(ROOT, 'installation.mjs')).href
/** What setup.mjs does with it. */
const START = `
  import { install } from ${JSON.stringify(INSTALLATION)}
  console.log(install() ? 'installed' : 'left out')
`
const REAL_NPM = succeed(run('sh', ['-c', 'command -v npm'], ROOT)).stdout.trim()
const TINY = 'node_modules/tiny/package.json'

let home = ''
let project = ''
const bin = () => join(home, 'bin')
const withCount = () => ({ PATH: `${bin()}${delimiter}${ENVIRONMENT['PATH']}` })

function writeJson(path: string, content: unknown): void {
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`)
}

function calls(): number {
  const file = join(home, 'calls')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

/** An `npm` that notes that it was called. */
function placeNpm(script = `exec '${REAL_NPM}' --offline "$@"`): void {
  const head = `#!/bin/sh\necho called >>'${home}/calls'\n`
  writeFileSync(join(bin(), 'npm'), `${head}${script}\n`)
  chmodSync(join(bin(), 'npm'), 0o755)
}

function start(env: Readonly<Record<string, string>> = {}): Result {
  return run(process.execPath, [join(project, 'start.mjs')], project, { ...withCount(), ...env })
}

function makePackage(version: string): void {
  const folder = join(home, 'tiny')
  mkdirSync(folder, { recursive: true })
  writeJson(join(folder, 'package.json'), { name: 'tiny', version })
  succeed(npm(['pack', '--pack-destination', project], folder))
  writeJson(join(project, 'package.json'), {
    ...{ name: 'project', version: '1.0.0', private: true },
    scripts: { prepare: `node '${join(project, 'start.mjs')}'` },
    devDependencies: { tiny: `file:tiny-${version}.tgz` },
  })
  succeed(npm(['install', '--package-lock-only', '--ignore-scripts', '--offline'], project))
}

beforeEach(() => {
  home = ownFolder()
  project = join(home, 'project')
  for (const folder of [project, bin()]) mkdirSync(folder)
  writeFileSync(join(project, 'start.mjs'), START)
  makePackage('1.0.0')
  placeNpm()
})

describe('a start', () => {
  test('installs once; a lock file that only has a newer time changes nothing', () => {
    expect(start()).toMatchObject({ code: 0, stdout: 'installed\n' })
    expect(existsSync(join(project, TINY))).toBe(true)
    expect(calls()).toBe(1)
    utimesSync(join(project, 'package-lock.json'), new Date(), new Date(Date.now() + 60_000))
    expect(start()).toMatchObject({ code: 0, stdout: 'installed\n', stderr: '' })
    expect(calls()).toBe(1)
  })

  test('installs anew when the lock file has other contents, whatever its time', () => {
    succeed(start())
    makePackage('1.0.1')
    utimesSync(join(project, 'package-lock.json'), new Date(0), new Date(0))
    succeed(start())
    expect(calls()).toBe(2)
    expect(readFileSync(join(project, TINY), 'utf8')).toContain('1.0.1')
  })

  test('repairs an installation that was interrupted', () => {
    succeed(start())
    makePackage('1.0.1')
    // npm removes what was there; then it kills its caller, and ends.
    placeNpm('rm -r node_modules/tiny; kill -KILL $PPID')
    expect(start().code).toBeNull()
    expect(existsSync(join(project, TINY))).toBe(false)
    placeNpm()
    // Whatever the lock file says now: also when somebody goes back to the one that was installed before.
    makePackage('1.0.0')
    succeed(start())
    expect(calls()).toBe(3)
    expect(readFileSync(join(project, TINY), 'utf8')).toContain('1.0.0')
  })

  test('repairs what another command of npm has taken away', () => {
    succeed(start())
    succeed(npm(['prune', '--omit=dev', '--offline', '--ignore-scripts'], project))
    expect(existsSync(join(project, TINY))).toBe(false)
    succeed(start())
    expect(existsSync(join(project, TINY))).toBe(true)
  })

  test('says what failed, and tries again the next time', () => {
    placeNpm('echo no network >&2; exit 1')
    const { code, stderr } = start()
    expect(code).toBe(1)
    expect(stderr).toContain('no network')
    expect(stderr).toContain('the installation failed: npm ci ')
    placeNpm()
    succeed(start())
    expect(existsSync(join(project, TINY))).toBe(true)
  })

  test('installs everything, whatever npm is doing around it', () => {
    const env = { npm_config_dry_run: 'true', npm_config_global: 'true', npm_config_omit: 'dev' }
    succeed(start({ ...env, NODE_ENV: 'production', npm_lifecycle_event: 'prepare' }))
    expect(existsSync(join(project, TINY))).toBe(true)
  })
})

describe('the `prepare` of npm', () => {
  test.each(['ci', 'install'])('of `npm %s` installs nothing twice', (command) => {
    const { stdout } = succeed(
      npm([command, '--offline', '--foreground-scripts'], project, withCount()),
    )
    expect(stdout).toContain('installed\n')
    expect(calls()).toBe(1)
    expect(start()).toMatchObject({ code: 0, stdout: 'installed\n', stderr: '' })
    expect(calls()).toBe(1)
  })

  test('of `npm ci --omit=dev` builds nothing, and the next start installs the rest', () => {
    const args = ['ci', '--omit=dev', '--offline', '--foreground-scripts']
    expect(succeed(npm(args, project, withCount())).stdout).toContain('left out\n')
    expect(calls()).toBe(1)
    succeed(start())
    expect(existsSync(join(project, TINY))).toBe(true)
  })

  test('of `npm pack` installs what a fresh clone does not have', () => {
    rmSync(join(project, 'node_modules'), { recursive: true, force: true })
    succeed(npm(['pack', '--dry-run'], project, withCount()))
    expect(existsSync(join(project, TINY))).toBe(true)
    expect(calls()).toBe(2)
  })
})
