// A recording is for its owner alone, and whatever becomes of its files is told and disturbs no session.

import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Recording } from '../../daemon/recording.ts'
import { ownFolder, until } from './folder.ts'

function record(folder: string) {
  const told: string[] = []
  const recording = new Recording(folder, () => 'a-g1-s1', {
    began: () => told.push('began'),
    failed: (why) => told.push(why),
  })
  return { recording, told }
}

const modeOf = (path: string) => statSync(path).mode & 0o777

test('files and the folder that is made for them are readable by their owner alone', async () => {
  const folder = join(ownFolder(), 'made', 'recordings')
  const { recording, told } = record(folder)
  recording.sent(Buffer.from('there'))
  recording.received(Buffer.from('back'))
  recording.sent(Buffer.from(' and on'))
  recording.closed()
  const [forward, back] = ['forward', 'back'].map((name) => join(folder, `a-g1-s1.${name}`))
  await until('the bytes', () => told.length > 0 && statSync(forward).size === 12)
  expect(told).toEqual(['began'])
  expect(readFileSync(forward, 'utf8')).toBe('there and on')
  await until('the other bytes', () => statSync(back).size === 4)
  expect([modeOf(forward), modeOf(back), modeOf(folder)]).toEqual([0o600, 0o600, 0o700])
})

test('a file that was there becomes as private', async () => {
  const folder = ownFolder()
  const file = join(folder, 'a-g1-s1.forward')
  writeFileSync(file, 'old bytes')
  chmodSync(file, 0o644)
  const { recording, told } = record(folder)
  recording.sent(Buffer.from('new'))
  await until('the bytes', () => told.length > 0 && statSync(file).size === 3)
  recording.closed()
  expect(modeOf(file)).toBe(0o600)
})

test.each([
  ['a file in place of the folder', (folder: string) => writeFileSync(folder, '')],
  [
    'a folder in place of a file',
    (folder: string) => void mkdirSync(join(folder, 'a-g1-s1.back'), { recursive: true }),
  ],
])('%s ends the recording, is told once, and throws nothing', async (_, spoil) => {
  const folder = join(ownFolder(), 'recordings')
  spoil(folder)
  const { recording, told } = record(folder)
  for (let i = 0; i < 10; i++) recording.sent(Buffer.from('bytes'))
  recording.received(Buffer.from('bytes'))
  await until('its end', () => told.some((line) => line !== 'began'))
  recording.sent(Buffer.from('more'))
  recording.closed()
  expect(told.filter((line) => line !== 'began')).toHaveLength(1)
  expect(told.at(-1)).toMatch(/recordings\/a-g1-s1\.(forward|back): .+ \(E[A-Z]+\)$/)
  rmSync(folder, { recursive: true })
})
