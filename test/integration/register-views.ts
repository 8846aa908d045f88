// A pair whose sides reach the register by paths of their own, which can be lost one by one, with a client that
// counts all the while. What the tests of operators' verbs and of restored registers share.

import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { VerbFailed } from '../../network/control-client.ts'
import type { VerbMessage, VerbName } from '../../shared/protocol/control-messages.ts'
import { CounterLoad } from './counter-load.ts'
import { Pair, until, type Name } from './pair.ts'

export const DELAYS = {
  ...{ suspectMs: 300, claimHandicapMs: 10, registerCheckMs: 100, reconnectMs: 50 },
  ...{ witnessRetryMs: 20, witnessRetryMaxMs: 100, haltedRecheckMs: 100, helloTimeoutMs: 500 },
}
export const SIDES = ['a', 'b'] as const
export const other = (name: Name): Name => (name === 'a' ? 'b' : 'a')

export let pair: Pair
export let load: CounterLoad
/** Before each test of the file that calls this: a pair that is not started yet, and a client that counts. */
export function usePairs(): void {
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
}

/** Where the register is, and how a side names it: the views can be lost one by one. */
export const folder = () => join(pair.dir, 'shared')
export const view = (name: Name) => join(pair.dir, `as-${name}-sees-it`)
export const lose = (name: Name) => renameSync(view(name), `${view(name)}.away`)
export const find = (name: Name) => renameSync(`${view(name)}.away`, view(name))
/** Lost for good: what was there is gone, and a new folder is in its place. */
export const wipe = () => {
  rmSync(folder(), { recursive: true })
  mkdirSync(folder())
}

export async function launch(name: Name, isNew = false, delays = DELAYS): Promise<void> {
  const told = name === 'a' ? 'primary' : 'secondary'
  await pair.launch(name, told, { isNew, witness: `file:${view(name)}`, delays })
}

export async function becomesProtected(): Promise<void> {
  await Promise.all([launch('a', true), launch('b')])
  await isProtected()
  await acknowledges()
}

export async function isProtected(): Promise<void> {
  for (const name of SIDES) await pair.until(name, 'protected')
}

/** By this side, if one is named. */
export async function acknowledges(name?: Name): Promise<void> {
  const before = load.acknowledged
  await until(
    `a write to be acknowledged ${name ? `by ${name}` : ''}`,
    () => load.acknowledged > before,
  )
  if (name !== undefined) expect(load.servedBy).toBe(pair.clients[name])
  expect(load.disorder).toBeUndefined()
}

export async function waitsForTheWitness(name: Name): Promise<number> {
  const { generation } = await until(`${name} to wait for the witness`, async () => {
    const status = await pair.status(name)
    return status.state === 'claiming' && status.witnessTrouble !== undefined && status
  })
  return generation
}

/** The answer of the side: what it did, or why not. */
export async function ask(
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

export const refused = (pattern: RegExp) => ({
  isDone: false,
  detail: expect.stringMatching(pattern) as unknown as string,
})

/** Both channels between the sides; a itself still reaches b. */
export function cut(): void {
  pair.controlProxy?.cut()
  pair.dataProxy?.cut()
}

export function mend(): void {
  pair.controlProxy?.mend()
  pair.dataProxy?.mend()
}

export async function haltsAsLost(name: Name): Promise<void> {
  await until(`${name} to say that the state is lost`, async () => {
    const { state, reason } = await pair.status(name)
    return state === 'halted' && /guest state lost/.test(reason)
  })
}
