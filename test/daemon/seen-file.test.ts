// What a side has seen outlives it. It is read once, and written beside everything else until it is written.

import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SeenFile } from '../../daemon/seen-file.ts'
import type { Seen } from '../../shared/ports.ts'
import { ownFolder, until, warningList } from './folder.ts'

const NOTHING: Seen = { pair: '', generation: 0, nonce: '', epoch: 0 }
const seenAt = (generation: number): Seen => ({ pair: 'p', generation, nonce: 'n', epoch: 7 })

function open(file: string) {
  const { warnings, told } = warningList()
  const seen = new SeenFile(file, 20, warnings)
  onTestFinished(() => seen.dispose())
  return { seen, warnings, told }
}

describe('at the start', () => {
  test('no file is a side that has seen nothing', () => {
    expect(open(join(ownFolder(), 'b.seen')).seen.load()).toEqual(NOTHING)
  })

  test('a file of before has no pair and no nonce', () => {
    const file = join(ownFolder(), 'b.seen')
    writeFileSync(file, '{"generation":3,"epoch":9}\n')
    expect(open(file).seen.load()).toEqual({ ...NOTHING, generation: 3, epoch: 9 })
  })

  test.each([
    ['', 'it is empty'],
    ['\0\0\0\0', 'it does not hold'],
    ['{"generation":3', 'it does not hold'],
    ['{"generation":-1,"epoch":0}', 'it does not hold'],
    ['[]', 'it does not hold'],
  ])('a damaged one (%j) is refused by its name, with the way out', (text, why) => {
    const file = join(ownFolder(), 'b.seen')
    writeFileSync(file, text)
    expect(() => open(file)).toThrow(`${file}: ${why}`)
    expect(() => open(file)).toThrow(/: remove it; this side then counts as new$/)
  })

  test('a folder in its place is refused by its name', () => {
    const folder = ownFolder()
    expect(() => open(folder)).toThrow(`${folder}: it is a folder`)
  })
})

test('what was saved last is there at the next start, and what load() gives stays', async () => {
  const file = join(ownFolder(), 'b.seen')
  const { seen } = open(file)
  for (let generation = 1; generation <= 50; generation++) seen.save(seenAt(generation))
  await seen.settled()
  expect(seen.load()).toEqual(NOTHING)
  expect(open(file).seen.load()).toEqual(seenAt(50))
  expect(readdirSync(join(file, '..'))).toEqual(['b.seen'])
})

test('a write that fails is a warning, is tried again with the newest, and is over then', async () => {
  const folder = ownFolder()
  const file = join(folder, 'b.seen')
  // Where the file is to be is a folder: the new one cannot be put in its place.
  const { seen, warnings, told } = open(file)
  mkdirSync(file)
  seen.save(seenAt(1))
  await until('the warning', () => warnings.all.length === 1)
  seen.save(seenAt(2))
  seen.save(seenAt(3))
  expect(warnings.all[0]).toMatch(
    /b\.seen: it is a folder: name a file \(EISDIR\); until then a restart/,
  )
  rmdirSync(file)
  await until('the end of the warning', () => warnings.all.length === 0)
  await seen.settled()
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(seenAt(3))
  expect(told.map((line) => line.split(':')[0])).toEqual(['seen file began', 'seen file ended'])
  expect(readdirSync(folder)).toEqual(['b.seen'])
})
