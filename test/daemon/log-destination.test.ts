// Whatever becomes of the lines of the log, nothing waits for them: they are written, or kept for a while, or dropped
// and counted, and the count is told once lines are written again.

import { spawnSync } from 'node:child_process'
import {
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LogDestination } from '../../daemon/log-destination.ts'
import { ownFolder, until, warningList } from './folder.ts'

const FULL = '/dev/full'
const hasFifos = spawnSync('mkfifo', ['--version']).status === 0

function open(path: string, queueBytesMax?: number) {
  const { warnings, told } = warningList()
  const destination = new LogDestination({ path, retryMs: 20, queueBytesMax, warnings })
  onTestFinished(() => destination.dispose())
  return { destination, warnings, told }
}

const linesOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '').split('\n')

test('lines are written in their order, behind what was there', async () => {
  const file = join(ownFolder(), 'new', 'log')
  mkdirSync(join(file, '..'))
  writeFileSync(file, 'before\n')
  const { destination } = open(file)
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}`)
  for (const line of lines) destination.write(`${line}\n`)
  await destination.settled()
  expect(linesOf(file)).toEqual(['before', ...lines, ''])
})

test('a folder that cannot be made ends the start, in one line', () => {
  const folder = ownFolder()
  writeFileSync(join(folder, 'file'), '')
  const path = join(folder, 'file', 'log')
  expect(() => open(path)).toThrow(/^--log .*file\/log: a file is there already, .*\(EEXIST\)$/)
})

test('a folder in place of the file does as well', () => {
  const folder = ownFolder()
  expect(() => open(folder)).toThrow(`--log ${folder}: it is a folder: name a file (EISDIR)`)
})

describe.skipIf(!existsSync(FULL))(`a full disk (else there is no ${FULL})`, () => {
  test('is a warning that names it; what does not fit into the queue is dropped', async () => {
    const { destination, warnings, told } = open(FULL, 100)
    for (let i = 0; i < 20; i++) destination.write('ten bytes\n')
    await destination.settled()
    await until('the warning', () => warnings.all.some((text) => text.includes('10 lines')))
    expect(warnings.all).toEqual([
      'the log /dev/full: no space left there: free some, or name another place (ENOSPC); 10 lines were lost',
    ])
    expect(told).toHaveLength(1)
  })
})

test('a file that was removed is made again, with its folder', async () => {
  const folder = join(ownFolder(), 'logs')
  const file = join(folder, 'log')
  const { destination, warnings } = open(file)
  destination.write('one\n')
  await destination.settled()
  rmSync(folder, { recursive: true })
  await until('a line in the new file', () => {
    destination.write('two\n')
    return linesOf(file)[0] === 'two'
  })
  expect(warnings.all).toEqual([])
})

test('a file that was moved, as who rotates logs does it, is followed by a new one', async () => {
  const file = join(ownFolder(), 'log')
  const { destination } = open(file)
  destination.write('one\n')
  await destination.settled()
  renameSync(file, `${file}.1`)
  await until('a line in the new file', () => {
    destination.write('two\n')
    return linesOf(file)[0] === 'two'
  })
  expect(linesOf(`${file}.1`)[0]).toBe('one')
})

test('once lines are written again it is told how many were lost, and the queue follows', async () => {
  const folder = join(ownFolder(), 'logs')
  const file = join(folder, 'log')
  const { destination, warnings, told } = open(file, 1000)
  destination.write('one\n')
  await destination.settled()
  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'in the way')
  let written = 0
  await until('lines to be lost', () => {
    destination.write(`${String(++written).padStart(9)}\n`)
    return warnings.all.some((text) => /log: .*[1-9]\d* lines were lost$/.test(text))
  })
  rmSync(folder)
  await until('the end of the warning', () => warnings.all.length === 0)
  const lost = Number(/; (\d+) lines were lost$/.exec(told.at(-1) ?? '')?.[1])
  expect(told.at(-1)).toMatch(/^log ended: the log .*logs\/log: /)
  const kept = linesOf(file).filter((line) => line !== '')
  expect(lost).toBeGreaterThan(0)
  // Lines that went into the file before its end was noticed are gone with it.
  expect(kept.length).toBeLessThanOrEqual(written - lost)
  expect(kept).toHaveLength(100)
})

describe.skipIf(!hasFifos)('a pipe (needs mkfifo)', () => {
  function makePipe(): string {
    const path = join(ownFolder(), 'pipe')
    spawnSync('mkfifo', [path])
    return path
  }

  test('needs no reader yet: lines wait in it', async () => {
    const pipe = makePipe()
    const { destination } = open(pipe)
    destination.write('one\n')
    await destination.settled()
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const bytes = Buffer.alloc(100)
    expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toBe('one\n')
  })

  test('whose reader stands still holds nothing up, and has every line once it reads', async () => {
    const pipe = makePipe()
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const { destination, warnings, told } = open(pipe)
    const line = `${'x'.repeat(999)}\n`
    const count = 500
    for (let i = 0; i < count; i++) destination.write(line)
    await until('the warning', () => warnings.all.length === 1)
    expect(warnings.all[0]).toMatch(/its reader stands still: .*; 0 lines were lost$/)
    let received = ''
    const bytes = Buffer.alloc(1 << 16)
    await until('all lines', () => {
      try {
        received += bytes.toString('latin1', 0, readSync(reader, bytes))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
      return received.length >= count * line.length
    })
    expect(received).toBe(line.repeat(count))
    await until('the end of the warning', () => warnings.all.length === 0)
    expect(told).toHaveLength(2)
  })
})

test('a file keeps the mode that new files have', async () => {
  const file = join(ownFolder(), 'log')
  open(file)
  expect(statSync(file).mode & 0o777).toBe(0o666 & ~process.umask())
})
