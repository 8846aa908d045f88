// The package of the built tree: what is in it, that it works where it is installed alone and without a network, and
// that npm would publish it without a complaint.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { ROOT } from '../checkout.ts'
import { ENVIRONMENT, npm, run, succeed, versionOf } from './npm.ts'

const PACKED_BYTES_MAX = 1_000_000

const packedSchema = z.tuple([
  z.object({
    filename: z.string(),
    size: z.number(),
    files: z.array(z.object({ path: z.string(), mode: z.number() })),
  }),
])

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))

let home = ''
let tarball = ''
let packed: z.infer<typeof packedSchema>[0]

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'colo-package-'))
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', home]
  packed = packedSchema.parse(JSON.parse(succeed(npm(args, ROOT)).stdout))[0]
  tarball = join(home, packed.filename)
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Installs the package alone, in an empty folder of this name, and gives that folder. */
function installed(name: string): string {
  const folder = join(home, name)
  mkdirSync(folder)
  succeed(npm(['init', '--yes'], folder))
  succeed(npm(['install', '--offline', '--cache', join(home, 'empty cache'), tarball], folder))
  return folder
}

describe('npm pack', () => {
  test('has the command, its guest and the documents, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path)
    const allowed =
      /^(dist\/bin\/([\w-]+\.cjs|LICENSES\.txt)|dist\/guests\/kv\.wasm|docs\/[\w-]+\.md|(README|CHANGELOG|SECURITY)\.md|LICENSE|package\.json)$/
    expect(paths.filter((path) => !allowed.test(path))).toEqual([])
    const wanted = ['dist/bin/colo.cjs', 'dist/bin/guest-worker.cjs', 'dist/bin/LICENSES.txt']
    const texts = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs/operating.md']
    expect(paths).toEqual(expect.arrayContaining([...wanted, ...texts, 'dist/guests/kv.wasm']))
    expect(packed.files.find(({ path }) => path === 'dist/bin/colo.cjs')?.mode).toBe(0o755)
  })

  test(`has at most ${PACKED_BYTES_MAX} bytes`, () => {
    expect(packed.size).toBeLessThanOrEqual(PACKED_BYTES_MAX)
    expect(packed.size).toBeGreaterThan(100_000)
  })

  test('has the licences of all packages that are in the bundle', () => {
    const licences = readFileSync(join(ROOT, 'dist', 'bin', 'LICENSES.txt'), 'utf8')
    for (const name of ['commander', 'pino', 'ws', 'xstate', 'zod']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\n\n[^-]*[Cc]opyright`, 'm'))
    }
  })
})

describe('an installed package', () => {
  test('runs a pair, and reads its recording, with no other package beside it', () => {
    const folder = installed('alone')
    expect(readdirSync(join(folder, 'node_modules')).filter((one) => !one.startsWith('.'))).toEqual(
      ['colo-pair'],
    )
    const colo = join(folder, 'node_modules', '.bin', 'colo')
    expect(versionOf(colo, folder)).toBe(version)
    const record = ['--record', 'rec', '--format', 'json']
    const up = run(colo, ['up', '--for', '3s', '--port', 'auto', ...record], folder)
    expect(up).toMatchObject({ code: 0 })
    expect(JSON.parse(up.stdout)).toMatchObject({
      states: { a: 'protected', b: 'protected' },
    })
    const [stream = ''] = readdirSync(join(folder, 'rec')).filter((one) => one.endsWith('forward'))
    expect(run(colo, ['verify', join('rec', stream)], folder)).toMatchObject({ code: 0 })
  })

  test('names a command that exists, however it was installed', () => {
    const prefix = join(home, 'global')
    succeed(npm(['install', '--offline', '--global', '--prefix', prefix, tarball], home))
    const colo = join(prefix, 'bin', 'colo')
    const args = ['up', '--for', '1ms', '--port', 'auto', '--dir', join(home, 'pairs')]
    const shown = (env = {}) =>
      /^ {2}(.*colo\S*) status --pair/m.exec(run(colo, args, home, env).stdout)?.[1]
    expect(shown({ PATH: `${join(prefix, 'bin')}:${ENVIRONMENT['PATH']}` })).toBe('colo')
    const words = shown()?.split(' ') ?? []
    expect(words[0]).toBe('node')
    expect(existsSync(words[1] ?? '')).toBe(true)
  })
})

/** A registry that knows no package. */
async function emptyRegistry(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('npm publish --dry-run has no complaint', async () => {
  const registry = await emptyRegistry()
  const where = ['--registry', `http://${registry}`, `--//${registry}:_authToken=none`]
  const args = ['publish', '--dry-run', '--ignore-scripts', ...where]
  const child = spawn('npm', args, { cwd: ROOT, env: ENVIRONMENT, stdio: 'pipe' })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (said += bytes.toString()))
  }
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(said).not.toMatch(/\b(warn|error)\b/i)
  expect(said).toContain(`+ colo-pair@${version}`)
  expect(code).toBe(0)
})
