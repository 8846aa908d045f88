// The folder of the register disappears and comes back, in every state of both roles, while one side, both or
// nobody is killed or stopped for a moment. Where a side lives that holds the whole state, the guest goes on once
// the folder is back, with every write that was acknowledged. Where none lives, the sides say that the state is
// lost, and no cold guest serves before an operator says so.

import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { inside } from '../cli/command.ts'
import { isLong } from '../long-tests.ts'
import { CounterLoad } from './counter-load.ts'
import { Pair, until, type Name, type PairOptions } from './pair.ts'
import {
  ONE_SIDED,
  ROWS,
  STATES,
  type Outcome,
  type Row,
  type State,
  type Victim,
} from './witness-away-table.ts'
import { bringBack, takeAway } from './witness-fault.ts'

const DELAYS = {
  ...{ suspectMs: 800, claimHandicapMs: 10, registerCheckMs: 200, reconnectMs: 50 },
  ...{ witnessRetryMs: 20, witnessRetryMaxMs: 100, haltedRecheckMs: 100, helloTimeoutMs: 500 },
  // The channels that a test slows down do not stand still.
  dataStallMs: 20_000,
}
/** Longer than suspectMs; that one is long, so that a busy machine ends no session before its time. */
const STOP_MS = 1500
/** A seed takes a few seconds, unless the test speeds it up. */
const SLOW_BYTES_PER_S = 300_000

let pair: Pair | undefined
let load: CounterLoad | undefined
afterEach(async () => {
  await load?.stop()
  load = undefined
  await pair?.dispose()
  pair = undefined
})

const delay = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const other = (name: Name): Name => (name === 'a' ? 'b' : 'a')
const told = (name: Name) => (name === 'a' ? 'primary' : 'secondary')

interface Setting {
  readonly pair: Pair
  readonly load: CounterLoad
  /** The folder of the register as `name` calls it. */
  readonly view: (name: Name) => string
  readonly launch: (name: Name, isNew?: boolean) => Promise<void>
}

/** `isGiven`: each side has its own path to the folder, given to it by `--witness file:FOLDER`. */
async function setting(isGiven: boolean, options: PairOptions = {}): Promise<Setting> {
  const made = await Pair.prepare({ delays: DELAYS, proxied: true, ...options })
  pair = made
  const folder = join(made.dir, isGiven ? 'shared' : 'test', 'witness')
  if (isGiven) mkdirSync(folder, { recursive: true })
  const view = (name: Name) => (isGiven ? join(made.dir, `as-${name}-sees-it`) : folder)
  if (isGiven) for (const name of ['a', 'b'] as const) symlinkSync(folder, view(name))
  load = new CounterLoad([made.clients.a, made.clients.b])
  const launch = async (name: Name, isNew = false) => {
    const witness = isGiven ? `file:${view(name)}` : undefined
    await made.launch(name, told(name), { isNew, witness })
  }
  return { pair: made, load, view, launch }
}

const setSpeed = (to: Pair, bytesPerS: number) => {
  if (to.dataProxy) to.dataProxy.bytesPerS = bytesPerS
}

async function acknowledges(by: CounterLoad): Promise<void> {
  const before = by.acknowledged
  await until('a write to be acknowledged', () => by.acknowledged > before)
}

async function becomesProtected({ pair: both, launch, load: by }: Setting): Promise<void> {
  await Promise.all([launch('a', true), launch('b')])
  await both.until('a', 'protected')
  await both.until('b', 'protected')
  await acknowledges(by)
}

/** Brings the pair into the state, in which the folder goes away. */
async function reach(state: State, at: Setting, away: () => void): Promise<void> {
  const { pair: both, launch, load: by } = at
  if (state === 'protected') {
    await becomesProtected(at)
    return away()
  }
  if (state === 'founding') {
    mkdirSync(at.view('a'), { recursive: true })
    away()
    await Promise.all([launch('a', true), launch('b')])
    await until('a to tell of it', async () => (await both.status('a')).warnings?.length)
    return undefined
  }
  if (state !== 'connecting') {
    await launch('a', true)
    await acknowledges(by)
  }
  if (state === 'standalone') return away()
  if (state === 'connecting') {
    await becomesProtected(at)
    await both.signal('b', 'SIGKILL')
    await both.until('a', 'standalone')
    await acknowledges(by)
    away()
    await launch('b')
    await both.until('a', 'seeding')
    return undefined
  }
  setSpeed(both, SLOW_BYTES_PER_S)
  await launch('b')
  await until('the copy to be on its way', async () =>
    /full copy is on its way/.test((await both.status('a')).reason),
  )
  away()
  if (state === 'seeding') return undefined
  setSpeed(both, Number.POSITIVE_INFINITY)
  await until('a to ask for the pair', async () => (await both.status('a')).witnessTrouble)
  return acknowledges(by)
}

const victimsOf = (victim: Victim): Name[] => {
  if (victim === 'nobody') return []
  return victim === 'both' ? ['a', 'b'] : [victim.startsWith('a') ? 'a' : 'b']
}

async function strike(victim: Victim, { pair: both }: Setting): Promise<void> {
  const names = victimsOf(victim)
  if (!victim.endsWith('stopped')) {
    for (const name of names) await both.signal(name, 'SIGKILL')
    return
  }
  for (const name of names) both.process(name).kill('SIGSTOP')
  await delay(STOP_MS)
  for (const name of names) both.process(name).kill('SIGCONT')
}

/** While the folder is away a side that lost its peer waits and says why, unless its output was free. */
async function holds({ state, victim }: Row, { pair: both, view }: Setting): Promise<void> {
  const isAsked = state === 'protected' || (state === 'seeded' && victim !== 'a')
  if (victim === 'nobody' || victim === 'both' || !isAsked) return
  const [name = 'a'] = victimsOf(victim)
  const waiting = victim.endsWith('stopped') ? (['a', 'b'] as const) : [other(name)]
  for (const one of waiting) {
    const { role, witnessTrouble } = await until(`${one} to wait for the witness`, async () => {
      const status = await both.status(one)
      return status.state === 'claiming' && status.witnessTrouble !== undefined && status
    })
    expect(role).toBe(told(one))
    expect(witnessTrouble).toMatch(/the register is missing|: a part of the path is a file/)
    expect(view(one)).toBeTruthy()
  }
}

async function serves(name: Outcome, { pair: both, load: by }: Setting): Promise<void> {
  const before = by.acknowledged
  const served = await until(`${name} to serve`, () => {
    if (by.acknowledged === before) return undefined
    return by.servedBy === both.clients.a ? 'a' : 'b'
  })
  if (name !== 'either') expect(served).toBe(name)
}

/** The sides that were started again, or hold nothing, say that the state is lost; no write is taken. */
async function isLost(names: readonly Name[], { pair: both, load: by }: Setting): Promise<void> {
  const before = by.acknowledged
  for (const name of names) {
    const { role } = await until(`${name} to say that the state is lost`, async () => {
      const status = await both.status(name)
      return status.state === 'halted' && /guest state lost/.test(status.reason) && status
    })
    expect(role).toBe('secondary')
  }
  await delay(3 * DELAYS.haltedRecheckMs)
  for (const name of names) expect((await both.status(name)).state).toBe('halted')
  expect(by.acknowledged).toBe(before)
}

/** A bare run takes the state in which most can be lost, and one row of each other one. */
const BARE_ROWS = ROWS.filter(({ state, victim }) => state === 'protected' || victim === 'nobody')

/** With the folder given the views of both sides are taken away, else the one folder. */
const pathsOf = ({ view }: Setting) => [...new Set([view('a'), view('b')])]

describe('the folder of the witness goes away and comes back', () => {
  it.each(isLong ? ROWS : BARE_ROWS)('$state, $fault, killed: $victim', async (row) => {
    const { state, fault, victim } = row
    const at = await setting(fault === 'empty')
    const paths = pathsOf(at)
    await reach(state, at, () => takeAway(paths, fault))
    await strike(victim, at)
    await holds(row, at)
    // Whoever was killed comes back before the folder does, or after it.
    const isEarly = fault === 'missing' || (victim === 'both' && fault === 'empty')
    const killed = victim.endsWith('stopped') ? [] : victimsOf(victim)
    if (isEarly) await Promise.all(killed.map(async (name) => at.launch(name)))
    const before = at.load.acknowledged
    bringBack(paths, fault)
    if (!isEarly) await Promise.all(killed.map(async (name) => at.launch(name)))
    const outcome: Outcome = STATES[state].whenBack[victim]
    if (outcome === 'lost') {
      if (state === 'standalone') await at.launch('b')
      await isLost(['a', 'b'], at)
      expect(at.load.acknowledged).toBe(before)
      return
    }
    await serves(outcome, at)
    if (state !== 'standalone') {
      await at.pair.until('a', 'protected')
      await at.pair.until('b', 'protected')
    }
    expect(at.load.disorder).toBeUndefined()
  })
})

describe('it goes away for one side', () => {
  it.each(ONE_SIDED)('$seenBy, killed: $victim', async ({ seenBy, victim, ...then }) => {
    const at = await setting(true)
    await becomesProtected(at)
    takeAway([at.view(seenBy)], 'empty')
    await strike(victim, at)
    if (then.meanwhile === 'nobody') {
      await until('its trouble', async () => (await at.pair.status(seenBy)).witnessTrouble)
      expect((await at.pair.status(seenBy)).state).toBe('claiming')
    } else {
      await serves(then.meanwhile, at)
    }
    if (victim === seenBy) await at.launch(victim)
    bringBack([at.view(seenBy)], 'empty')
    if (victim === other(seenBy)) await at.launch(victim)
    await serves(then.whenBack, at)
    await at.pair.until('a', 'protected')
    await at.pair.until('b', 'protected')
    expect(at.load.disorder).toBeUndefined()
  })
})

describe('while it is away', () => {
  it('the status of each side says why it waits, and `colo status` prints it', async () => {
    const at = await setting(true)
    await becomesProtected(at)
    const paths = pathsOf(at)
    takeAway(paths, 'unreadable')
    at.pair.controlProxy?.cut()
    at.pair.dataProxy?.cut()
    for (const name of ['a', 'b'] as const) {
      const { reason, witnessTrouble } = await until(`${name} to wait`, async () => {
        const status = await at.pair.status(name)
        return status.state === 'claiming' && status.witnessTrouble !== undefined && status
      })
      expect(reason).toMatch(/the witness/)
      expect(witnessTrouble).toContain(`${at.view(name)}: a part of the path is a file`)
      const { stdout } = await inside('status', '--dir', at.pair.dir, '--pair', 'test')
      expect(stdout).toContain(at.view(name))
    }
    bringBack(paths, 'unreadable')
    at.pair.controlProxy?.mend()
    at.pair.dataProxy?.mend()
    await serves('either', at)
    await at.pair.until('a', 'protected')
    expect((await at.pair.status('a')).witnessTrouble).toBeUndefined()
    expect(at.load.disorder).toBeUndefined()
  })
})
