// `colo clean`: what it removes, and what it never touches.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CleanRow } from '../../../cli/clean.ts'
import { Pair } from '../../integration/pair.ts'
import { colo, inFolder, inside } from '../command.ts'

/** A process id that nobody has any more. */
const { pid: deadPid } = spawnSync(process.execPath, ['-e', ''])

interface Result {
  readonly code: number | null
  readonly bytes: number
  readonly rows: Record<string, CleanRow>
}

async function clean(dir: string, ...args: string[]): Promise<Result> {
  const { code, stdout } = await inside('clean', '--dir', dir, '-f', 'json', ...args)
  const { bytes, pairs } = JSON.parse(stdout) as { bytes: number; pairs: CleanRow[] }
  return { code, bytes, rows: Object.fromEntries(pairs.map((row) => [row.pair, row])) }
}

interface Left {
  readonly pid?: number
  readonly register?: object
  readonly control?: string
}

function leavePair(dir: string, pair: string, left: Left = {}): string {
  const { pid = deadPid, register, control = '127.0.0.1:1' } = left
  const home = join(dir, pair)
  mkdirSync(join(home, 'witness'), { recursive: true })
  writeFileSync(join(home, 'token'), 'secret token\n')
  writeFileSync(join(home, 'a.log'), '{}\n')
  writeFileSync(join(home, 'a.seen'), '{}\n')
  const run = {
    ...{ name: 'a', pair, pid, told: 'primary', guest: 'kv', tokenFile: 't' },
    ...{ control, data: '127.0.0.1:1', clients: '127.0.0.1:1' },
  }
  writeFileSync(join(home, 'a.json'), `${JSON.stringify(run)}\n`)
  if (register !== undefined) {
    writeFileSync(
      join(home, 'witness', 'gen-2.000000000001'),
      JSON.stringify({ generation: 2, holder: { kind: 'alone' } }),
    )
    writeFileSync(join(home, 'witness', 'gen-10.000000000001'), JSON.stringify(register))
  }
  return home
}

const STOPPED = { generation: 10, holder: { kind: 'stopped' } }
const ALONE = { generation: 10, holder: { kind: 'alone', owner: '' } }

describe('colo clean', () => {
  it('removes pairs of colo up and stopped ones, and says what they had', async () => {
    await inFolder(async (dir) => {
      leavePair(dir, 'up-x', { register: ALONE })
      leavePair(dir, 'stopped', { register: STOPPED })
      leavePair(dir, 'alone', { register: ALONE })
      leavePair(dir, 'nothing')
      const dry = await clean(dir, '--dry-run')
      expect(dry.rows['up-x']).toMatchObject({ action: 'would be removed', why: 'made by colo up' })
      expect(readdirSync(dir)).toHaveLength(4)
      const { code, rows, bytes } = await clean(dir)
      expect(code).toBe(0)
      expect(rows['up-x']).toMatchObject({ action: 'removed', why: 'made by colo up' })
      expect(rows['stopped']).toMatchObject({ action: 'removed', why: 'stopped' })
      expect(rows['alone']?.why).toContain('give --all')
      expect(rows['nothing']?.why).toContain('give --all')
      expect(bytes).toBe((rows['up-x']?.bytes ?? 0) + (rows['stopped']?.bytes ?? 0))
      expect(bytes).toBeGreaterThan(100)
      expect(readdirSync(dir).toSorted()).toEqual(['alone', 'nothing'])
      await clean(dir, '--all', '--pair', 'alone')
      expect(readdirSync(dir)).toEqual(['nothing'])
    })
  })

  it('never touches a pair of which a process lives', async () => {
    await inFolder(async (dir) => {
      leavePair(dir, 'up-daemon', { pid: process.pid })
      writeFileSync(join(leavePair(dir, 'up-starting'), 'up.pid'), `${process.pid}\n`)
      const { rows } = await clean(dir, '--all')
      expect(rows['up-daemon']).toMatchObject({
        action: 'kept',
        why: `a lives (pid ${process.pid})`,
      })
      expect(rows['up-starting']?.why).toContain(`colo up runs it (pid ${process.pid})`)
      expect(readdirSync(dir)).toHaveLength(2)
      const named = await inside('clean', '--dir', dir, '--pair', 'up-daemon')
      expect(named.stderr).toMatch(/^colo: pair up-daemon is kept: a lives .*\n$/)
      expect(named.code).toBe(2)
    })
  })

  it('never touches a daemon whose pid means nothing here, and which answers', async () => {
    const pair = await Pair.start()
    try {
      leavePair(pair.dir, 'far', { register: STOPPED })
      leavePair(pair.dir, 'test', { control: `127.0.0.1:${pair.control.a}` })
      const { rows } = await clean(pair.dir, '--all')
      expect(rows['test']).toMatchObject({ action: 'kept' })
      expect(rows['test']?.why).toContain(`a answers at 127.0.0.1:${pair.control.a}`)
      expect(rows['far']).toMatchObject({ action: 'removed' })
    } finally {
      await pair.dispose()
    }
  })

  it('never touches what is no pair, and follows no link', async () => {
    await inFolder(async (outside) => {
      const precious = leavePair(outside, 'up-precious')
      await inFolder(async (dir) => {
        mkdirSync(join(dir, 'modules'))
        writeFileSync(join(dir, 'modules', 'm'), '')
        mkdirSync(join(dir, 'up-empty'))
        mkdirSync(join(dir, 'up-json'))
        writeFileSync(join(dir, 'up-json', 'package.json'), '{"name":"x"}')
        mkdirSync(join(dir, 'up-linked-token'))
        symlinkSync(join(precious, 'token'), join(dir, 'up-linked-token', 'token'))
        symlinkSync(precious, join(dir, 'up-link'))
        const inner = leavePair(dir, 'up-inner')
        symlinkSync(precious, join(inner, 'a.log.old'))
        const { rows } = await clean(dir, '--all')
        expect(Object.keys(rows)).toEqual(['up-inner'])
        expect(readdirSync(dir).toSorted()).toEqual([
          ...['modules', 'up-empty', 'up-json', 'up-link', 'up-linked-token'],
        ])
        expect(readdirSync(precious)).toContain('token')
        expect(existsSync(join(precious, 'witness'))).toBe(true)
      })
    })
  })

  it('keeps a folder with files of somebody else, such as a recording', async () => {
    await inFolder(async (dir) => {
      const home = leavePair(dir, 'up-x')
      mkdirSync(join(home, 'rec'))
      writeFileSync(join(home, 'rec', 'a-g1-s1.forward'), 'bytes')
      const { rows } = await clean(dir)
      expect(rows['up-x']?.why).toContain('rec is no file of a pair')
      expect((await clean(dir, '--all')).rows['up-x']?.action).toBe('removed')
    })
  })

  it.each(['..', '.', 'a/b', '../../x'])('refuses a name that is none: %s', async (name) => {
    const { code, stderr } = await inside('clean', '--dir', '/nowhere', '--pair', name)
    expect([code, stderr]).toEqual([2, expect.stringContaining('letters, digits')])
  })

  it('has nothing to do where nothing is', async () => {
    const { code, stdout } = await inside('clean', '--dir', '/nowhere')
    expect([code, stdout]).toEqual([0, 'no folder of a pair below /nowhere\n'])
    expect((await inside('clean', '--dir', '/nowhere', '--pair', 'x')).code).toBe(2)
  })

  it('removes what a whole run of colo up has left', async () => {
    await inFolder(async (dir) => {
      const run = await colo('up', '--dir', dir, '--port', 'auto', '--for', '200ms')
      expect(run.code).toBe(0)
      const { stdout } = await colo('clean', '--dir', dir)
      expect(stdout).toMatch(/^removed: 1 pair, /m)
      expect(readdirSync(dir)).toEqual(['modules'])
    })
  })
})
