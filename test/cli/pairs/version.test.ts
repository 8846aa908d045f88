// The version of package.json, everywhere where somebody may look for it, and what is said where two sides differ.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { Status } from '../../../shared/protocol/control-messages.ts'
import { ROOT } from '../../checkout.ts'
import { startCommand } from '../../integration/command-side.ts'
import { Pair } from '../../integration/pair.ts'
import { colo } from '../command.ts'

const manifest = z
  .looseObject({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
const { version } = manifest

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

/** The command of an installation whose package.json has another version, or none. */
function otherInstallation(other: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'colo-version-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['bin', 'guests']) {
    mkdirSync(join(folder, 'dist'), { recursive: true })
    cpSync(join(ROOT, 'dist', part), join(folder, 'dist', part), { recursive: true })
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: other }))
  return join(folder, 'dist', 'bin', 'colo.cjs')
}

/** The secondary is of another installation. */
async function withOther(other: string | undefined): Promise<Pair> {
  const started = await Pair.prepare()
  pair = started
  await started.launch('a', 'primary')
  startCommand(started, 'b', 'secondary', { script: otherInstallation(other) })
  await started.until('a', 'protected')
  await started.until('b', 'protected')
  return started
}

async function statuses(dir: string): Promise<Status[]> {
  const { stdout } = await colo('status', '--dir', dir, '-f', 'json')
  return JSON.parse(stdout) as Status[]
}

const warnings = async (dir: string) =>
  (await colo('status', '--dir', dir)).stdout
    .split('\n')
    .filter((line) => line.startsWith('warning'))

describe('the version', () => {
  it.each(['--version', '-V', 'version'])('is what `colo %s` prints', async (word) => {
    expect(await colo(word)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('is in the status of both sides, as theirs and as the peer’s, and first in the log', async () => {
    pair = await Pair.protected()
    const sides = await statuses(pair.dir)
    expect(sides.map((side) => [side.version, side.peer.version])).toEqual([
      [version, version],
      [version, version],
    ])
    const [first = ''] = pair.log('a').split('\n')
    expect(JSON.parse(first)).toMatchObject({ msg: 'listening', version })
    expect(await warnings(pair.dir)).toEqual([])
  })
})

describe('colo status', () => {
  it('warns when the sides run different versions, and when the other one is gone', async () => {
    const { dir } = await withOther('99.1.0')
    const words = `warning: different versions of colo-pair: a runs ${version}, b runs 99.1.0; install the newer one on both`
    expect(await warnings(dir)).toEqual([words])
    const sides = await statuses(dir)
    expect(sides.map((side) => [side.version, side.peer.version])).toEqual([
      [version, '99.1.0'],
      ['99.1.0', version],
    ])
    await pair?.signal('b', 'SIGKILL')
    await pair?.until('a', 'standalone')
    expect(await warnings(dir)).toEqual([words])
  })

  it('says so of a side that does not say its version, as older ones do not', async () => {
    const { dir } = await withOther(undefined)
    const [line = '', ...rest] = await warnings(dir)
    expect(line).toContain(`a runs ${version}, b runs one that does not say its version;`)
    expect(rest).toEqual([])
    const [a, b] = await statuses(dir)
    expect([a?.peer, b]).not.toContainEqual(expect.objectContaining({ version: expect.anything() }))
  })
})
