// The register as files: it is durable once the write has been answered, whole at each moment before, and of two
// writers one wins. The virtual disk loses what was not synced; errors come from real file systems.

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
import { RegisterFiles, tagOf } from '../../daemon/witness/register-files.ts'
import type { WriteBase } from '../../shared/ports.ts'
import { firstRegister, nextRegister, type Register } from '../../shared/protocol/register.ts'
import { canMount, SmallDisk } from '../integration/small-disk.ts'
import { Chance } from '../simulation/chance.ts'
import { ownFolder } from './folder.ts'
import { Killed, UnsyncedDisk, type DiskOptions } from './unsynced-disk.ts'

const FOLDER = '/share/pair/witness'
const PAIR = 'a'.repeat(32)
const OTHER_PAIR = 'b'.repeat(32)
const NOBODY = 65534
const NO_PAIR: WriteBase = { pairs: 0 }

let tokens = 0
const token = () => (++tokens).toString(16).padStart(32, '0')
const alone = () => ({ kind: 'alone', owner: token() }) as const

const founding = (pair = PAIR) => firstRegister(pair, token(), alone())
const changeOf = (register: Register) => nextRegister(register, token(), alone())

/** `count` registers, each written behind the one before. */
async function grown(files: RegisterFiles, count: number, pair = PAIR): Promise<Register> {
  const { pairs } = await files.read(pair)
  let register = founding(pair)
  await files.write({ pairs }, register)
  for (let i = 1; i < count; i++) {
    const next = changeOf(register)
    await files.write(register, next)
    register = next
  }
  return register
}

interface Situation {
  readonly name: string
  /** How many registers are there before. */
  readonly before: number
}

const SITUATIONS: readonly Situation[] = [
  { name: 'a founding in a folder that is not there', before: 0 },
  { name: 'the first change', before: 1 },
  { name: 'a change that makes old files worthless', before: 20 },
]

/** A disk on which the write that `situation` names is the next one. */
async function prepared({ before }: Situation, options: DiskOptions = {}) {
  const disk = new UnsyncedDisk(options)
  const files = new RegisterFiles(FOLDER, disk)
  const old = before === 0 ? undefined : await grown(files, before)
  const next = old === undefined ? founding() : changeOf(old)
  const from = old ?? NO_PAIR
  disk.calls = []
  return { disk, files, old, next, from }
}

/** After a power cut: with a pair that the reader knows, and without. */
async function readings(disk: UnsyncedDisk): Promise<readonly (Register | undefined)[]> {
  const files = new RegisterFiles(FOLDER, disk)
  return [(await files.read(PAIR)).register, (await files.read('')).register]
}

describe('a power cut', () => {
  test.each(SITUATIONS)('after $name was answered loses nothing', async (situation) => {
    const { disk, files, next, from } = await prepared(situation)
    expect(await files.write(from, next)).toEqual(next)
    disk.kill()
    expect(await readings(disk)).toEqual([next, next])
  })

  test.each(SITUATIONS)('in $name leaves the old register or the new one', async (situation) => {
    const whole = await prepared(situation)
    await whole.files.write(whole.from, whole.next)
    const steps = whole.disk.calls.length
    expect(steps).toBeGreaterThan(10)
    for (let step = 0; step <= steps; step++) {
      for (let seed = 0; seed < 40; seed++) {
        const chance = new Chance(seed)
        const { disk, files, old, next, from } = await prepared(situation)
        disk.stopsBefore = step
        await files.write(from, next).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error
        })
        disk.kill(seed === 0 ? undefined : () => chance.u32() % 2 === 0)
        for (const found of await readings(disk)) expect([old, next]).toContainEqual(found)
        // Its writer lives and sends it again: it counts from then on, whatever comes.
        expect(await new RegisterFiles(FOLDER, disk).write(from, next)).toEqual(next)
        disk.kill()
        expect(await readings(disk)).toEqual([next, next])
      }
    }
  })

  test('after a write that failed at its last sync, and was sent again, loses nothing', async () => {
    const { disk, files, old, next, from } = await prepared(SITUATIONS[1] ?? SITUATIONS[0])
    await files.write(from, next)
    const last = disk.calls.lastIndexOf(`sync ${FOLDER}`)
    const again = await prepared(SITUATIONS[1] ?? SITUATIONS[0])
    again.disk.stopsBefore = last
    await expect(again.files.write(again.from, again.next)).rejects.toThrow(Killed)
    again.disk.stopsBefore = Number.POSITIVE_INFINITY
    expect(await again.files.write(again.from, again.next)).toEqual(again.next)
    again.disk.kill()
    expect(await readings(again.disk)).toEqual([again.next, again.next])
    expect(old).toBeDefined()
  })

  test('after the register of another writer was the answer, which had not synced it, loses nothing', async () => {
    const { disk, files, next, from } = await prepared(SITUATIONS[1] ?? SITUATIONS[0])
    await files.write(from, next)
    const last = disk.calls.lastIndexOf(`sync ${FOLDER}`)
    const again = await prepared(SITUATIONS[1] ?? SITUATIONS[0])
    again.disk.stopsBefore = last
    await expect(again.files.write(again.from, again.next)).rejects.toThrow(Killed)
    again.disk.stopsBefore = Number.POSITIVE_INFINITY
    if (again.old === undefined) throw new Error('there is an old one')
    const mine = changeOf(again.old)
    expect(await new RegisterFiles(FOLDER, again.disk).write(again.old, mine)).toEqual(again.next)
    again.disk.kill()
    expect(await readings(again.disk)).toEqual([again.next, again.next])
  })
})

describe('without one of the syncs', () => {
  const MUTANTS: Readonly<Record<string, DiskOptions>> = {
    'of the file': { syncsFile: false },
    'of the folder': { syncsFolder: (path) => path !== FOLDER },
    'of the folder above': { syncsFolder: (path) => path !== '/share/pair' },
    'of the folder above that': { syncsFolder: (path) => path !== '/share' },
  }

  test.each(Object.keys(MUTANTS))('%s a power cut loses what was answered', async (mutant) => {
    const { disk, files, next, from } = await prepared(SITUATIONS[0], MUTANTS[mutant])
    expect(await files.write(from, next)).toEqual(next)
    disk.kill()
    const found = await readings(disk).catch((error: unknown) => error)
    expect(found).not.toEqual([next, next])
  })
})

describe('two writers', () => {
  /** Waits for some turns of the other one before each call. */
  function interleave(disk: UnsyncedDisk, seed: number): void {
    const chance = new Chance(seed)
    disk.turn = async () => {
      for (let i = chance.u32() % 5; i > 0; i--) await Promise.resolve()
    }
  }

  test('of one change: one wins, and both are told the same', async () => {
    const winners = new Set<string>()
    for (let seed = 0; seed < 300; seed++) {
      const { disk, old } = await prepared({ name: '', before: 3 })
      if (old === undefined) throw new Error('there is an old one')
      interleave(disk, seed)
      const [one, two] = [changeOf(old), changeOf(old)]
      const answers = await Promise.all(
        [one, two].map(async (next) => new RegisterFiles(FOLDER, disk).write(old, next)),
      )
      expect([one, two]).toContainEqual(answers[0])
      expect(answers[1]).toEqual(answers[0])
      winners.add(answers[0]?.nonce === one.nonce ? 'one' : 'two')
      disk.turn = async () => undefined
      disk.kill()
      expect(await readings(disk)).toEqual([answers[0], answers[0]])
    }
    expect(winners.size).toBe(2)
  })

  test('of a founding: one wins, and nothing of the other is left', async () => {
    const winners = new Set<string>()
    for (let seed = 0; seed < 300; seed++) {
      const disk = new UnsyncedDisk()
      interleave(disk, seed)
      const founders = [founding(PAIR), founding(OTHER_PAIR)]
      const answers = await Promise.all(
        founders.map(async (next) => new RegisterFiles(FOLDER, disk).write(NO_PAIR, next)),
      )
      const won = answers.filter((one) => one !== undefined)
      expect(won).toHaveLength(1)
      disk.turn = async () => undefined
      const names = await disk.readdir(FOLDER)
      expect(names.toSorted()).toEqual([`gen-1.${tagOf(won[0]?.pair ?? '')}`, 'pair-1'])
      expect(await new RegisterFiles(FOLDER, disk).read('')).toEqual({ register: won[0], pairs: 1 })
      winners.add(won[0]?.pair ?? '')
    }
    expect(winners.size).toBe(2)
  })
})

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
