// One living daemon has a name; what dead ones left is replaced; and each removes only its own.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isRunning, thisProcess } from '../../daemon/living-process.ts'
import {
  livingDaemons,
  NameTaken,
  refuseTakenName,
  removeRunFile,
  runFilePath,
  writeRunFile,
  type RunFile,
} from '../../daemon/run-files.ts'
import { ownFolder, until } from './folder.ts'

const { pid: deadPid } = spawnSync(process.execPath, ['-e', ''])

const runOf = (pid: number, started?: string): RunFile => ({
  ...{ name: 'b', pair: 'p', pid, started, told: 'secondary', guest: 'kv', tokenFile: 'token' },
  ...{ control: '127.0.0.1:1', data: '127.0.0.1:2', clients: '127.0.0.1:3' },
})

function startLiving(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const pidIn = (dir: string) =>
  (JSON.parse(readFileSync(runFilePath(dir, 'p', 'b'), 'utf8')) as RunFile).pid

describe('a second daemon of a name', () => {
  test('is refused while the first lives, in one line that names it', async () => {
    const dir = ownFolder()
    const { pid = 0 } = startLiving()
    await writeRunFile(dir, runOf(pid))
    const words = `b of pair \`p\` runs already, pid ${pid}, control at 127.0.0.1:1: give another`
    expect(() => refuseTakenName(dir, 'p', 'b')).toThrow(words)
    await expect(writeRunFile(dir, { ...runOf(0), ...thisProcess() })).rejects.toThrow(words)
    expect(pidIn(dir)).toBe(pid)
    expect(readdirSync(join(dir, 'p'))).toEqual(['b.json'])
  })

  test('takes the place of one that is dead, or that left what is no run file', async () => {
    const dir = ownFolder()
    await writeRunFile(dir, runOf(deadPid))
    refuseTakenName(dir, 'p', 'b')
    await writeRunFile(dir, { ...runOf(0), ...thisProcess() })
    expect(pidIn(dir)).toBe(process.pid)
    writeFileSync(runFilePath(dir, 'p', 'b'), '')
    await writeRunFile(dir, { ...runOf(0), ...thisProcess() })
    expect(pidIn(dir)).toBe(process.pid)
    expect(readdirSync(join(dir, 'p'))).toEqual(['b.json'])
  })

  test('of two that start at once one is refused', async () => {
    const dir = ownFolder()
    await writeRunFile(dir, runOf(deadPid))
    const pids = [startLiving(), startLiving()].map(({ pid = 0 }) => pid)
    const results = await Promise.allSettled(pids.map(async (pid) => writeRunFile(dir, runOf(pid))))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0].reason).toBeInstanceOf(NameTaken)
    expect(pids).toContain(pidIn(dir))
  })
})

describe.skipIf(thisProcess().started === undefined)('a pid that was given again (Linux)', () => {
  test('is another process: the one that was meant is dead', async () => {
    const dir = ownFolder()
    const { pid = 0 } = startLiving()
    await writeRunFile(dir, runOf(pid, 'another boot 1'))
    expect(livingDaemons(dir)).toEqual([])
    refuseTakenName(dir, 'p', 'b')
  })

  test('a process that its parent has not collected does not run', async () => {
    // The shell becomes `sleep`, which never collects the child that it was given.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'])
    onTestFinished(() => void parent.kill('SIGKILL'))
    let said = ''
    parent.stdout.on('data', (bytes) => (said += String(bytes)))
    await until('its pid', () => said.includes('\n'))
    const pid = Number(said)
    expect(() => process.kill(pid, 0)).not.toThrow()
    await until('its end', () => !isRunning({ pid }))
    expect(() => process.kill(pid, 0)).not.toThrow()
  })
})

test('a daemon removes its own run file and no other', async () => {
  const dir = ownFolder()
  const { pid = 0 } = startLiving()
  await writeRunFile(dir, runOf(pid))
  await removeRunFile(dir, 'p', 'b')
  expect(pidIn(dir)).toBe(pid)
  await writeRunFile(dir, { ...runOf(0), ...thisProcess(), name: 'a' })
  await removeRunFile(dir, 'p', 'a')
  expect(readdirSync(join(dir, 'p'))).toEqual(['b.json'])
})
