// An older copy of the register is put back under a pair whose sides know different generations. Never two sides
// serve, and nothing that was acknowledged is lost.

import { cpSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { until } from './pair.ts'
import {
  DELAYS,
  SIDES,
  acknowledges,
  folder,
  isProtected,
  launch,
  load,
  other,
  pair,
  usePairs,
} from './register-views.ts'

usePairs()

describe('an older copy of the register is put back under a pair', () => {
  /** a knows that the pair is recorded; b was not told, and knows the register before it. */
  async function differ(): Promise<void> {
    const handicap = { ...DELAYS, claimHandicapMs: 700 }
    await launch('a', true)
    await acknowledges('a')
    cpSync(folder(), join(pair.dir, 'copy'), { recursive: true })
    if (pair.controlProxy) {
      pair.controlProxy.onBack = (bytes) => !bytes.includes('"type":"register"')
    }
    await launch('b', false, handicap)
    const recorded = await pair.until('a', 'protected')
    const unaware = await until('b to hold a copy', async () => {
      const status = await pair.status('b')
      return status.state === 'seeding' && status.epoch > 0 && status
    })
    expect(recorded.generation).toBe(unaware.generation + 1)
    if (pair.controlProxy) pair.controlProxy.onBack = undefined
    await acknowledges('a')
  }

  const putBack = () => {
    renameSync(folder(), `${folder()}.true`)
    cpSync(join(pair.dir, 'copy'), folder(), { recursive: true })
  }
  const takeOut = () => {
    rmSync(folder(), { recursive: true })
    renameSync(`${folder()}.true`, folder())
  }

  it.each(SIDES)(
    'before the kill of %s: nobody serves until the true one is back',
    async (victim) => {
      await differ()
      putBack()
      await pair.signal(victim, 'SIGKILL')
      const survivor = other(victim)
      await pair.until(survivor, 'claiming')
      await launch(victim)
      await until('the survivor to have looked', async () => {
        const { witnessTrouble, state } = await pair.status(survivor)
        return witnessTrouble !== undefined || state === 'halted'
      })
      const before = load.acknowledged
      await new Promise((resolve) => setTimeout(resolve, 5 * DELAYS.registerCheckMs))
      expect(load.acknowledged).toBe(before)
      takeOut()
      await acknowledges(survivor)
      await isProtected()
      await acknowledges(survivor)
    },
  )

  it('after the kill of a: b holds its state, and serves once the true one is back', async () => {
    await differ()
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'claiming')
    putBack()
    await launch('a')
    await until('b to have looked', async () => (await pair.status('b')).state === 'halted')
    const before = load.acknowledged
    await new Promise((resolve) => setTimeout(resolve, 5 * DELAYS.registerCheckMs))
    expect(load.acknowledged).toBe(before)
    takeOut()
    await acknowledges('b')
    await isProtected()
    await acknowledges('b')
  })

  it('after the kill of b: a, which serves, continues its line on the copy', async () => {
    await differ()
    await pair.signal('b', 'SIGKILL')
    const { generation } = await pair.until('a', 'standalone')
    putBack()
    await until('a to put the register right', async () => {
      return (await pair.status('a')).generation > generation
    })
    expect(pair.log('a')).toMatch(/"code":"witness-went-backwards"/)
    await acknowledges('a')
    await launch('b')
    await isProtected()
    await acknowledges('a')
  })
})
