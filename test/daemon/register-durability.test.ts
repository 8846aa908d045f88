// The register as files is durable once the write has been answered, whole at each moment before, and of two
// writers one wins. The virtual disk loses what was not synced.

import { describe, expect, test } from 'vitest'
import { RegisterFiles, tagOf } from '../../witnesses/register-files.ts'
import type { Register } from '../../shared/protocol/register.ts'
import { Chance } from '../simulation/chance.ts'
import { NO_PAIR, OTHER_PAIR, PAIR, changeOf, founding, grown } from './registers.ts'
import { Killed, UnsyncedDisk, type DiskOptions } from './unsynced-disk.ts'

const FOLDER = '/share/pair/witness'

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

  /** The first change, whose writer linked the file and failed before it synced the folder. */
  async function unsyncedChange() {
    const situation: Situation = { name: 'the first change', before: 1 }
    const whole = await prepared(situation)
    await whole.files.write(whole.from, whole.next)
    const lastSync = whole.disk.calls.lastIndexOf(`sync ${FOLDER}`)
    const failed = await prepared(situation)
    failed.disk.stopsBefore = lastSync
    await expect(failed.files.write(failed.from, failed.next)).rejects.toThrow(Killed)
    failed.disk.stopsBefore = Number.POSITIVE_INFINITY
    return failed
  }

  test('after a write that failed at its last sync was sent again loses nothing', async () => {
    const { disk, files, next, from } = await unsyncedChange()
    expect(await files.write(from, next)).toEqual(next)
    disk.kill()
    expect(await readings(disk)).toEqual([next, next])
  })

  test('after a writer was told of another one, who had not synced, loses nothing', async () => {
    const { disk, old, next, from } = await unsyncedChange()
    if (old === undefined) throw new Error('there is an old one')
    expect(await new RegisterFiles(FOLDER, disk).write(from, changeOf(old))).toEqual(next)
    disk.kill()
    expect(await readings(disk)).toEqual([next, next])
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
