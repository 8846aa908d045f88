// The loss check of `colo up --load` can fail: a build whose output gate is always open loses acknowledged
// writes when its primary is killed, and says so.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { plant } from '../simulation/mutants.ts'
import { MUTANTS } from '../simulation/planted-bugs.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('a build that releases output early', () => {
  it('reports lost writes, and ends with exit code 1', () => {
    const folder = plant(MUTANTS['output released before READY'] ?? [])
    const dir = mkdtempSync(join(tmpdir(), 'colo-early-'))
    folders.push(folder, dir)
    const rest = ['formats', 'keepers', 'network', 'witnesses', 'telemetry', 'terminal', 'tools']
    for (const one of [...rest, 'cli', 'daemon', 'guests']) {
      cpSync(join(ROOT, 'dist', one), join(folder, 'dist', one), { recursive: true })
    }
    const colo = join(folder, 'dist', 'cli', 'colo.js')
    const kills = ['--kill', 'primary@1s', '--kill', 'primary@3s', '--respawn']
    const args = ['up', '--for', '4s', '--load', '8', ...kills, '--format', 'json']
    const run = spawnSync('node', [colo, ...args, '--port', 'auto', '--dir', dir], {
      encoding: 'utf8',
    })
    const { writes } = JSON.parse(run.stdout) as { writes: { lost: number; acknowledged: number } }
    expect(writes.acknowledged).toBeGreaterThan(100)
    expect(writes.lost).toBeGreaterThan(0)
    expect(run.status).toBe(1)
  })
})
