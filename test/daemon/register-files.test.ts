// The register as files on a real file system: what is read and written, what is removed, and what errors say.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RegisterFiles, tagOf } from '../../witnesses/register-files.ts'
import { canMount, SmallDisk } from '../integration/small-disk.ts'
import { ownFolder } from './folder.ts'
import { NO_PAIR, OTHER_PAIR, PAIR, changeOf, founding, grown, token } from './registers.ts'

const NOBODY = 65534

describe('on a file system', () => {
  test('a write from another register than the newest changes nothing, and answers with the newest', async () => {
    const files = new RegisterFiles(ownFolder())
    const register = await grown(files, 2)
    const stale = { ...register, nonce: token() }
    expect(await files.write(stale, changeOf(stale))).toEqual(register)
    expect(await files.write(NO_PAIR, founding())).toEqual(register)
    expect((await files.read(PAIR)).register).toEqual(register)
  })

  test('the same write again is no error, and changes nothing', async () => {
    const folder = ownFolder()
    const files = new RegisterFiles(folder)
    const first = founding()
    for (let i = 0; i < 3; i++) expect(await files.write(NO_PAIR, first)).toEqual(first)
    const second = changeOf(first)
    for (let i = 0; i < 3; i++) expect(await files.write(first, second)).toEqual(second)
    expect(readdirSync(folder)).toHaveLength(3)
    const third = changeOf(second)
    await files.write(second, third)
    expect(await files.write(first, second)).toEqual(third)
  })

  test('a folder that is not there reads as none, and reading does not make it', async () => {
    const above = ownFolder()
    const folder = join(above, 'witness')
    const files = new RegisterFiles(folder)
    expect(await files.read('')).toEqual({ register: undefined, pairs: 0 })
    expect(await files.read(PAIR)).toEqual({ register: undefined, pairs: 0 })
    const known = founding()
    expect(await files.write(known, changeOf(known))).toBeUndefined()
    expect(existsSync(folder)).toBe(false)
    await files.write(NO_PAIR, known)
    expect((await files.read('')).register).toEqual(known)
  })

  test('two pairs in one folder do not see each other', async () => {
    const files = new RegisterFiles(ownFolder())
    const mine = await grown(files, 3)
    const other = await grown(files, 5, OTHER_PAIR)
    expect(await files.read(PAIR)).toEqual({ register: mine, pairs: 2 })
    expect(await files.read(OTHER_PAIR)).toEqual({ register: other, pairs: 2 })
    expect(await files.read('')).toEqual({ register: undefined, pairs: 2 })
    // Founded on the word that there is none yet.
    const third = founding('c'.repeat(32))
    expect(await files.write({ pairs: 1 }, third)).toBeUndefined()
    expect((await files.read(third.pair)).register).toBeUndefined()
  })

  test('old registers are removed, the newest stay', async () => {
    const folder = ownFolder()
    const files = new RegisterFiles(folder)
    const other = await grown(files, 2, OTHER_PAIR)
    const register = await grown(files, 40)
    expect((await files.read(PAIR)).register).toEqual(register)
    expect((await files.read(OTHER_PAIR)).register).toEqual(other)
    const numbers = readdirSync(folder)
      .filter((name) => name.endsWith(`.${tagOf(PAIR)}`))
      .map((name) => Number(/\d+/.exec(name)?.[0]))
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => 24 + i))
  })

  test('drafts that were left behind are removed, younger ones stay', async () => {
    const folder = ownFolder()
    const files = new RegisterFiles(folder)
    const register = await grown(files, 1)
    for (const [name, minutes] of [
      ['draft-old', 11],
      ['draft-young', 9],
    ] as const) {
      const file = join(folder, name)
      writeFileSync(file, '')
      const at = Date.now() / 1000 - minutes * 60
      utimesSync(file, at, at)
    }
    await files.write(register, changeOf(register))
    expect(readdirSync(folder).filter((name) => name.startsWith('draft'))).toEqual(['draft-young'])
  })
})

describe('an error names the file', () => {
  test.each(['', '{"pair":', '{}', '\0\0\0\0'])('of a damaged register: %j', async (text) => {
    const folder = ownFolder()
    const files = new RegisterFiles(folder)
    const register = await grown(files, 2)
    const file = join(folder, `gen-3.${tagOf(PAIR)}`)
    writeFileSync(file, text)
    const says = `${file} is no register: bring the right file back`
    await expect(files.read(PAIR)).rejects.toThrow(says)
    await expect(files.read('')).rejects.toThrow(says)
    await expect(files.write(register, changeOf(register))).rejects.toThrow(says)
  })

  test.each(['', 'not an id', '\0\0\0\0'])('of a damaged id of a pair: %j', async (text) => {
    const folder = ownFolder()
    const files = new RegisterFiles(folder)
    const register = await grown(files, 2)
    writeFileSync(join(folder, 'pair-1'), text)
    await expect(files.read('')).rejects.toThrow(`${join(folder, 'pair-1')} holds no pair's id`)
    expect((await files.read(PAIR)).register).toEqual(register)
  })

  test('of a folder in the place of a register', async () => {
    const folder = ownFolder()
    const files = new RegisterFiles(folder)
    await grown(files, 1)
    const file = join(folder, `gen-2.${tagOf(PAIR)}`)
    mkdirSync(file)
    await expect(files.read(PAIR)).rejects.toThrow(`${file}: it is a folder`)
  })

  test('of a file in the place of the folder', async () => {
    const folder = join(ownFolder(), 'witness')
    writeFileSync(folder, '')
    const files = new RegisterFiles(folder)
    await expect(files.read(PAIR)).rejects.toThrow(`${folder}: a part of the path is a file`)
    await expect(files.write(NO_PAIR, founding())).rejects.toThrow(`${folder}: a file is there`)
  })

  test('of a link that leads in a circle', async () => {
    const folder = join(ownFolder(), 'witness')
    symlinkSync(folder, folder)
    const said = new RegisterFiles(folder).read(PAIR)
    await expect(said).rejects.toThrow(`${folder}: its symbolic links lead in a circle`)
  })

  test.skipIf(!canMount)('of a full disk, which is over with room', async () => {
    const disk = new SmallDisk()
    onTestFinished(() => disk.dispose())
    const folder = join(disk.path, 'witness')
    const files = new RegisterFiles(folder)
    const register = await grown(files, 1)
    disk.fill()
    const next = changeOf(register)
    for (let i = 0; i < 3; i++) {
      const said = await files.write(register, next).catch((error: unknown) => error)
      expect(String(said)).toBe(
        `Error: ${folder}: no space left there: free some, or name another place (ENOSPC)`,
      )
    }
    expect((await files.read(PAIR)).register).toEqual(register)
    disk.free()
    expect(await files.write(register, next)).toEqual(next)
    expect(readdirSync(folder).filter((name) => name.startsWith('draft'))).toEqual([])
  })

  test.skipIf(!canMount)('of a disk that can only be read', async () => {
    const disk = new SmallDisk()
    onTestFinished(() => disk.dispose())
    const files = new RegisterFiles(disk.path)
    const register = await grown(files, 1)
    expect(spawnSync('mount', ['-o', 'remount,ro', disk.path]).status).toBe(0)
    const said = files.write(register, changeOf(register))
    await expect(said).rejects.toThrow(`${disk.path}: its file system can only be read`)
    expect((await files.read(PAIR)).register).toEqual(register)
  })

  /** Root may read and write everything: as root the work is done as another user, who owns `folder`. */
  async function asOrdinaryUser(folder: string, work: () => Promise<void>): Promise<void> {
    if (process.getuid?.() !== 0) return work()
    chownSync(folder, NOBODY, NOBODY)
    process.seteuid?.(NOBODY)
    try {
      return await work()
    } finally {
      process.seteuid?.(0)
    }
  }

  test('of a folder that this user may not read or write', async () => {
    const above = ownFolder()
    const folder = join(above, 'witness')
    mkdirSync(folder)
    chmodSync(above, 0o711)
    await asOrdinaryUser(folder, async () => {
      const files = new RegisterFiles(folder)
      // The folder above can't be read by this user, so it can't be synced: it was there before.
      const register = await grown(files, 1)
      chmodSync(folder, 0o500)
      const said = files.write(register, changeOf(register))
      await expect(said).rejects.toThrow(`${folder}: this user may not write there`)
      chmodSync(folder, 0o000)
      await expect(files.read(PAIR)).rejects.toThrow(`${folder}: this user may not read it`)
      chmodSync(folder, 0o700)
      chmodSync(join(folder, `gen-1.${tagOf(PAIR)}`), 0o000)
      const file = join(folder, `gen-1.${tagOf(PAIR)}`)
      await expect(files.read(PAIR)).rejects.toThrow(`${file}: this user may not read it`)
    })
  })
})
