// The verbs that lead out of a lost register or a lost guest: `adopt` goes on with a state that a side holds,
// `start-over` begins a cold guest. Both are refused while they could make two guests serve. And an older copy of
// the register that is put back under a pair.

import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VerbFailed } from '../../shared/control/control-client.ts'
import type { VerbMessage, VerbName } from '../../shared/control/messages.ts'
import { CounterLoad } from './counter-load.ts'
import { Pair, until, type Name } from './pair.ts'

const DELAYS = {
  ...{ suspectMs: 300, claimHandicapMs: 10, registerCheckMs: 100, reconnectMs: 50 },
  ...{ witnessRetryMs: 20, witnessRetryMaxMs: 100, haltedRecheckMs: 100, helloTimeoutMs: 500 },
}
const SIDES = ['a', 'b'] as const
const other = (name: Name): Name => (name === 'a' ? 'b' : 'a')

let pair: Pair
let load: CounterLoad
beforeEach(async () => {
  pair = await Pair.prepare({ delays: DELAYS, proxied: true })
  mkdirSync(folder(), { recursive: true })
  for (const name of SIDES) symlinkSync(folder(), view(name))
  load = new CounterLoad([pair.clients.a, pair.clients.b])
})
afterEach(async () => {
  await load.stop()
  await pair.dispose()
})

/** Where the register is, and how a side names it: the views can be lost one by one. */
const folder = () => join(pair.dir, 'shared')
const view = (name: Name) => join(pair.dir, `as-${name}-sees-it`)
const lose = (name: Name) => renameSync(view(name), `${view(name)}.away`)
const find = (name: Name) => renameSync(`${view(name)}.away`, view(name))
/** Lost for good: what was there is gone, and a new folder is in its place. */
const wipe = () => {
  rmSync(folder(), { recursive: true })
  mkdirSync(folder())
}

async function launch(name: Name, isNew = false, delays = DELAYS): Promise<void> {
  const told = name === 'a' ? 'primary' : 'secondary'
  await pair.launch(name, told, { isNew, witness: `file:${view(name)}`, delays })
}

async function becomesProtected(): Promise<void> {
  await Promise.all([launch('a', true), launch('b')])
  await isProtected()
  await acknowledges()
}

async function isProtected(): Promise<void> {
  for (const name of SIDES) await pair.until(name, 'protected')
}

/** By this side, if one is named. */
async function acknowledges(name?: Name): Promise<void> {
  const before = load.acknowledged
  await until(
    `a write to be acknowledged ${name ? `by ${name}` : ''}`,
    () => load.acknowledged > before,
  )
  if (name !== undefined) expect(load.servedBy).toBe(pair.clients[name])
  expect(load.disorder).toBeUndefined()
}

async function waitsForTheWitness(name: Name): Promise<number> {
  const { generation } = await until(`${name} to wait for the witness`, async () => {
    const status = await pair.status(name)
    return status.state === 'claiming' && status.witnessTrouble !== undefined && status
  })
  return generation
}

/** The answer of the side: what it did, or why not. */
async function ask(
  name: Name,
  verb: VerbName,
  fields: Partial<VerbMessage>,
): Promise<{ isDone: boolean; detail: string }> {
  const operator = await pair.client(name)
  try {
    const { detail = '' } = await operator.ask(verb, { ...fields, token: pair.token() }, 15_000)
    return { isDone: true, detail }
  } catch (error) {
    if (!(error instanceof VerbFailed)) throw error
    return { isDone: false, detail: error.message }
  }
}

const refused = (pattern: RegExp) => ({
  isDone: false,
  detail: expect.stringMatching(pattern) as unknown as string,
})

/** Both channels between the sides; a itself still reaches b. */
function cut(): void {
  pair.controlProxy?.cut()
  pair.dataProxy?.cut()
}

function mend(): void {
  pair.controlProxy?.mend()
  pair.dataProxy?.mend()
}

async function haltsAsLost(name: Name): Promise<void> {
  await until(`${name} to say that the state is lost`, async () => {
    const { state, reason } = await pair.status(name)
    return state === 'halted' && /guest state lost/.test(reason)
  })
}

describe('adopt', () => {
  it.each(SIDES)(
    'when the register is lost for good, %s goes on with every write',
    async (name) => {
      await becomesProtected()
      wipe()
      await pair.signal(other(name), 'SIGKILL')
      const generation = await waitsForTheWitness(name)
      expect(await ask(name, 'adopt', { generation })).toEqual(
        refused(/the peer does not answer .* give --peer-is-dead once you have made sure/),
      )
      expect(await ask(name, 'adopt', { generation: generation + 1, peerIsDead: true })).toEqual(
        refused(new RegExp(`this side knows generation ${generation}: give --generation`)),
      )
      expect((await pair.status(name)).state).toBe('claiming')
      expect((await ask(name, 'adopt', { generation, peerIsDead: true })).isDone).toBe(true)
      await acknowledges(name)
      await launch(other(name))
      await isProtected()
      await acknowledges(name)
    },
  )

  it('is refused while the peer serves', async () => {
    await becomesProtected()
    lose('b')
    pair.process('b').kill('SIGSTOP')
    await pair.until('a', 'standalone')
    pair.process('b').kill('SIGCONT')
    const generation = await waitsForTheWitness('b')
    for (const peerIsDead of [false, true]) {
      expect(await ask('b', 'adopt', { generation, peerIsDead })).toEqual(
        refused(/the peer serves the guest/),
      )
    }
    await acknowledges('a')
    find('b')
    await isProtected()
    await acknowledges('a')
  })

  it('is refused where the witness answers, and where there is nothing to adopt', async () => {
    await becomesProtected()
    const { generation } = await pair.status('a')
    for (const name of SIDES) {
      expect(await ask(name, 'adopt', { generation, peerIsDead: true })).toEqual(
        refused(/protected: adopt needs a side that holds the guest and waits/),
      )
    }
    await acknowledges('a')
  })

  it.each(['answer each other', 'are cut off, and said to be dead'])(
    'on both sides at once, which %s: one wins, the other joins it',
    async (how) => {
      await becomesProtected()
      wipe()
      cut()
      const generation = await waitsForTheWitness('a')
      await waitsForTheWitness('b')
      const peerIsDead = how !== 'answer each other'
      if (!peerIsDead) mend()
      const answers = await Promise.all(
        SIDES.map(async (name) => ask(name, 'adopt', { generation, peerIsDead })),
      )
      const winners = SIDES.filter((_, index) => answers[index].isDone)
      expect(winners).toHaveLength(1)
      mend()
      const [winner] = winners
      await acknowledges(winner)
      await isProtected()
      expect((await pair.status(winner)).role).toBe('primary')
      await acknowledges(winner)
    },
  )
})

describe('start-over', () => {
  it('after both died is refused with any wrong word; then the guest begins cold and the other side joins', async () => {
    await becomesProtected()
    for (const name of SIDES) await pair.signal(name, 'SIGKILL')
    await Promise.all(SIDES.map(async (name) => launch(name)))
    for (const name of SIDES) await haltsAsLost(name)
    const { generation, register } = await pair.status('b')
    if (register?.holder.kind !== 'pair') throw new Error('the register names the pair')
    const owner = register.holder.primary.slice(0, 4)
    const words = new RegExp(`give --generation ${generation} --owner ${owner} or [0-9a-f]{4}`)
    const dead = { ownerIsDead: true }
    expect(await ask('b', 'start-over', { generation: generation + 1, owner, ...dead })).toEqual(
      refused(words),
    )
    expect(await ask('b', 'start-over', { generation, owner: 'ffff', ...dead })).toEqual(
      refused(words),
    )
    expect(await ask('b', 'start-over', { generation, ...dead })).toEqual(refused(words))
    expect(await ask('b', 'start-over', { generation, owner })).toEqual(
      refused(/give --owner-is-dead once it is surely dead/),
    )
    for (const name of SIDES) await haltsAsLost(name)
    expect((await ask('b', 'start-over', { generation, owner, ...dead })).isDone).toBe(true)
    load.acknowledged = 0
    await acknowledges('b')
    await isProtected()
    expect((await pair.status('b')).role).toBe('primary')
  })

  it('is refused while the peer holds the guest, and names adopt', async () => {
    await becomesProtected()
    wipe()
    await pair.signal('a', 'SIGKILL')
    const generation = await waitsForTheWitness('b')
    await launch('a')
    await pair.until('a', 'halted')
    const gone = { generation: 0, ownerIsDead: true }
    expect(await ask('a', 'start-over', gone)).toEqual(
      refused(new RegExp(`lost for good, give --generation 0 --forget-generation ${generation} `)),
    )
    expect(await ask('a', 'start-over', { ...gone, forgetGeneration: generation })).toEqual(
      refused(/the peer holds the guest: colo adopt there goes on with it/),
    )
    expect((await ask('b', 'adopt', { generation })).isDone).toBe(true)
    await acknowledges('b')
    await isProtected()
    await acknowledges('b')
  })

  it('is refused while the owner lives, on a side that is only cut off from the register', async () => {
    await becomesProtected()
    await pair.signal('b', 'SIGKILL')
    await pair.until('a', 'standalone')
    lose('b')
    await launch('b')
    await until('b to join', async () => (await pair.status('b')).state !== 'connecting')
    const { generation } = await pair.status('b')
    const gone = { generation: 0, ownerIsDead: true, forgetGeneration: generation }
    expect((await ask('b', 'start-over', gone)).isDone).toBe(false)
    await acknowledges('a')
    find('b')
    await isProtected()
    await acknowledges('a')
  })

  it('with the register gone for good begins cold, and the other side joins', async () => {
    await becomesProtected()
    const { generation } = await pair.status('b')
    for (const name of SIDES) await pair.signal(name, 'SIGKILL')
    wipe()
    await Promise.all(SIDES.map(async (name) => launch(name)))
    for (const name of SIDES) await pair.until(name, 'halted')
    const gone = { generation: 0, ownerIsDead: true }
    for (const forgetGeneration of [undefined, generation - 1, generation + 1]) {
      expect(await ask('a', 'start-over', { ...gone, forgetGeneration })).toEqual(
        refused(/the register is missing: bring it back/),
      )
    }
    const forgetGeneration = generation
    expect((await ask('a', 'start-over', { ...gone, forgetGeneration })).isDone).toBe(true)
    load.acknowledged = 0
    await acknowledges('a')
    await isProtected()
    expect((await pair.status('a')).generation).toBeGreaterThan(generation)
  })

  it('on both sides at once, with the register gone for good: one begins, the other joins it', async () => {
    await becomesProtected()
    const { generation } = await pair.status('b')
    for (const name of SIDES) await pair.signal(name, 'SIGKILL')
    wipe()
    await Promise.all(SIDES.map(async (name) => launch(name)))
    for (const name of SIDES) await pair.until(name, 'halted')
    const gone = { generation: 0, ownerIsDead: true, forgetGeneration: generation }
    const answers = await Promise.all(SIDES.map(async (name) => ask(name, 'start-over', gone)))
    expect(answers.filter(({ isDone }) => isDone)).toHaveLength(1)
    load.acknowledged = 0
    await acknowledges(SIDES[answers.findIndex(({ isDone }) => isDone)])
    await isProtected()
    await acknowledges()
  })

  it('that is read by a side which holds the state halts it, with the state', async () => {
    await becomesProtected()
    await pair.signal('a', 'SIGKILL')
    pair.process('b').kill('SIGSTOP')
    lose('b')
    await launch('a')
    const { register, generation } = await until('a to know the register', async () => {
      const status = await pair.status('a')
      return status.register !== undefined && status
    })
    if (register?.holder.kind !== 'pair') throw new Error('the register names the pair')
    const owner = register.holder.primary.slice(0, 4)
    expect((await ask('a', 'start-over', { generation, owner, ownerIsDead: true })).isDone).toBe(
      true,
    )
    load.acknowledged = 0
    await acknowledges('a')
    pair.process('b').kill('SIGCONT')
    await waitsForTheWitness('b')
    find('b')
    const { reason, role } = await pair.until('b', 'halted')
    expect(reason).toMatch(/an operator began a cold guest: alone\(/)
    expect(role).toBe('secondary')
    expect(pair.log('b')).toMatch(/"code":"superseded"/)
    await acknowledges('a')
    expect((await pair.status('b')).state).toBe('halted')
  })
})

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
