// The verbs that lead out of a lost register or a lost guest: `adopt` goes on with a state that a side holds,
// `start-over` begins a cold guest. Both are refused while they could make two guests serve.

import { describe, expect, it } from 'vitest'
import { until } from './pair.ts'
import {
  SIDES,
  acknowledges,
  ask,
  becomesProtected,
  cut,
  find,
  haltsAsLost,
  isProtected,
  launch,
  load,
  lose,
  mend,
  other,
  pair,
  refused,
  usePairs,
  waitsForTheWitness,
  wipe,
} from './register-views.ts'

usePairs()

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

  it('of a copy that the register never named is refused while its owner lives, and says what may be lost', async () => {
    await launch('a', true)
    await acknowledges('a')
    if (pair.dataProxy) pair.dataProxy.bytesPerS = 300_000
    await launch('b')
    await until('the copy to be on its way', async () =>
      /full copy is on its way/.test((await pair.status('a')).reason),
    )
    for (const name of SIDES) lose(name)
    if (pair.dataProxy) pair.dataProxy.bytesPerS = Number.POSITIVE_INFINITY
    await until('a to ask for the pair', async () => (await pair.status('a')).witnessTrouble)
    await acknowledges('a')
    cut()
    const generation = await waitsForTheWitness('b')
    mend()
    find('b')
    expect(await ask('b', 'adopt', { generation })).toEqual(
      refused(/the register names the peer, which lives/),
    )
    cut()
    await pair.signal('a', 'SIGKILL')
    find('a')
    mend()
    await launch('a')
    await haltsAsLost('b')
    const answer = await ask('b', 'adopt', { generation })
    expect(answer.isDone).toBe(true)
    expect(answer.detail).toMatch(/what was acknowledged after epoch \d+ is lost/)
    // The owner had waited for each commit, so that nothing is.
    await acknowledges('b')
    await isProtected()
    await acknowledges('b')
  })
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
