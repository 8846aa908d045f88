// Guests as compilers make them, through the death of a host: C, Rust, and AssemblyScript with the state that its
// runtime keeps in hidden globals.

import { afterEach, describe, expect, it } from 'vitest'
import {
  CLANG_MISSING,
  compileCounter,
  compileWords,
  HAS_CLANG,
  HAS_RUST,
  RUST_MISSING,
} from '../guests/compilers.ts'
import { LineClient } from './clients.ts'
import { Pair, until } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

type Dirty = 'log' | 'scan'

const LINES_AT_ONCE = 60

/** A pair whose sides run that module. */
async function pairOf(guest: string, dirty: Dirty): Promise<Pair> {
  const one = await Pair.prepare({ dirty })
  await one.launch('a', 'primary', { guest })
  await one.launch('b', 'secondary', { guest })
  await one.until('a', 'protected')
  await one.until('b', 'protected')
  return one
}

/** Says the lines, so many at a time, and gives the answers. */
async function ask(port: number, lines: readonly string[]): Promise<string[]> {
  const client = await LineClient.to(port)
  for (let said = 0; said < lines.length;) {
    const some = lines.slice(said, said + LINES_AT_ONCE)
    client.say(some.join('\n'))
    said += some.length
    await until(`${said} answers`, () => client.lines.length === said)
  }
  client.close()
  return client.lines
}

/** What the guest says before its host is killed, and what it says on the other host. */
async function throughAKill(
  guest: string,
  dirty: Dirty,
  before: readonly string[],
  after: readonly string[],
): Promise<{ before: string[]; after: string[] }> {
  pair = await pairOf(guest, dirty)
  const { guest: told } = await pair.status('a')
  expect(told.dirty.scheme).toBe(dirty)
  const answers = await ask(pair.clients.a, before)
  await pair.signal('a', 'SIGKILL')
  await pair.until('b', 'standalone')
  return { before: answers, after: await ask(pair.clients.b, after) }
}

const COUNTED = { before: ['1', '2', '3'], after: ['4', '5'] }

describe.skipIf(!HAS_CLANG)(`the counter in C (else ${CLANG_MISSING})`, () => {
  it.each<Dirty>(['log', 'scan'])('counts on after a kill, by the %s', async (dirty) => {
    const told = await throughAKill(compileCounter('c'), dirty, ['a', 'b', 'c'], ['d', 'e'])
    expect(told).toEqual(COUNTED)
  })
})

describe.skipIf(!HAS_RUST)(`the counter in Rust (else ${RUST_MISSING})`, () => {
  it('counts on after a kill, by the log', async () => {
    const told = await throughAKill(compileCounter('rust'), 'log', ['a', 'b', 'c'], ['d', 'e'])
    expect(told).toEqual(COUNTED)
  })
})

describe('a guest in AssemblyScript with maps, strings and objects', () => {
  const words = ['to', 'be', 'or', 'not', 'to', 'be']
  /** So many that the runtime allocates in several blocks, and the incremental one collects in between. */
  const many = Array.from({ length: 600 }, (_, i) => words[i % words.length])

  it.each([
    ['incremental', 'log'],
    ['incremental', 'scan'],
    ['minimal', 'log'],
    ['stub', 'log'],
  ] as const)('goes on after a kill with the runtime %s, by the %s', async (runtime, dirty) => {
    const guest = compileWords(runtime)
    const told = await throughAKill(guest, dirty, many, ['be', 'that', 'not'])
    expect(told.before.slice(-2)).toEqual(['to 200 after not', 'be 200 after to'])
    expect(told.after).toEqual(['be 201 after be', 'that 1 after be', 'not 101 after that'])
  })
})
