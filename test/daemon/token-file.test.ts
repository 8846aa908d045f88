// The token is made once, is only read after that, and leaves no drafts.

import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readOrMakeToken } from '../../daemon/token-file.ts'
import { ownFolder } from './folder.ts'

describe('a token', () => {
  test('is made for its owner alone, and is the same ever after', () => {
    const folder = join(ownFolder(), 'pair')
    const file = join(folder, 'token')
    const token = readOrMakeToken(file)
    expect(token).toMatch(/^[0-9a-f]{48}$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { mtimeMs } = statSync(folder)
    expect(readOrMakeToken(file)).toBe(token)
    // Nothing was made or removed beside it.
    expect(statSync(folder).mtimeMs).toBe(mtimeMs)
    expect(readdirSync(folder)).toEqual(['token'])
  })

  test('that others can read is refused, with the way out', () => {
    const file = join(ownFolder(), 'token')
    readOrMakeToken(file)
    chmodSync(file, 0o640)
    expect(() => readOrMakeToken(file)).toThrow(`${file} is readable by others: chmod 600 ${file}`)
  })

  test('that is empty is refused, and stays', () => {
    const file = join(ownFolder(), 'token')
    writeFileSync(file, '', { mode: 0o600 })
    expect(() => readOrMakeToken(file)).toThrow(`${file} holds no token: remove it`)
    expect(readFileSync(file, 'utf8')).toBe('')
  })

  test('that cannot be made is refused by its name, and leaves no draft', () => {
    const folder = ownFolder()
    const file = join(folder, 'token')
    symlinkSync(join(folder, 'nowhere'), file)
    expect(() => readOrMakeToken(file)).toThrow(file)
    expect(readdirSync(folder)).toEqual(['token'])
    expect(() => readOrMakeToken(join(file, '..', 'token', 'below'))).toThrow(/the token .*below/)
  })
})

test('drafts of killed daemons are removed; new ones and what others put there stay', () => {
  const folder = ownFolder()
  const file = join(folder, 'token')
  readOrMakeToken(file)
  const draft = (name: string, ageSeconds: number) => {
    const path = join(folder, name)
    writeFileSync(path, 'x')
    const at = Date.now() / 1000 - ageSeconds
    utimesSync(path, at, at)
  }
  draft('token.draft-0123456789abcdef', 3600)
  draft('token.draft-fedcba9876543210', 1)
  draft('token.draft-of-mine', 3600)
  draft('token.1', 3600)
  mkdirSync(join(folder, 'other'))
  readOrMakeToken(file)
  expect(readdirSync(folder).toSorted()).toEqual([
    'other',
    'token',
    'token.1',
    'token.draft-fedcba9876543210',
    'token.draft-of-mine',
  ])
})
