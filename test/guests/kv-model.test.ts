// Thousands of random commands against a Map; a copy of the memory, taken in between, goes on alike; and SCAN
// sees every key that stays while the table grows and shrinks under it.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'

type Model = Map<string, string>

const bulk = (value: string | undefined) =>
  value === undefined ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`

function modelIncr(model: Model, key: string): string {
  const old = model.get(key) ?? '0'
  if (!/^(0|-?[1-9]\d*)$/.test(old) || BigInt.asIntN(64, BigInt(old)) !== BigInt(old)) {
    return '-ERR value is not an integer or out of range\r\n'
  }
  const value = String(BigInt(old) + 1n)
  model.set(key, value)
  return `:${value}\r\n`
}

function modelAppend(model: Model, key: string, value: string): string {
  const joined = (model.get(key) ?? '') + value
  model.set(key, joined)
  return `:${joined.length}\r\n`
}

/** What the model answers to a command. */
function answer(model: Model, [name, key = '', value = '']: readonly string[]): string {
  if (name === 'GET') return bulk(model.get(key))
  if (name === 'DEL') return model.delete(key) ? ':1\r\n' : ':0\r\n'
  if (name === 'INCR') return modelIncr(model, key)
  if (name === 'APPEND') return modelAppend(model, key, value)
  if (name === 'EXISTS') return model.has(key) ? ':1\r\n' : ':0\r\n'
  if (name === 'DBSIZE') return `:${model.size}\r\n`
  const old = model.get(key)
  model.set(key, value)
  return name === 'GETSET' ? bulk(old) : '+OK\r\n'
}

/** A small random number generator, so that a failing test fails again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const NAMES = [
  'SET',
  'SET',
  'SET',
  'GET',
  'GET',
  'DEL',
  'INCR',
  'APPEND',
  'GETSET',
  'EXISTS',
  'DBSIZE',
]

function randomCommand(random: (below: number) => number, keys: number): string[] {
  const name = NAMES[random(NAMES.length)] ?? 'GET'
  if (name === 'DBSIZE') return [name]
  const key = `key:${random(keys)}`.padEnd(random(4) === 0 ? 40 : 0, '.')
  const value =
    random(3) === 0 ? String(random(1e9)) : 'v'.repeat(random(random(20) === 0 ? 5000 : 60))
  if (name === 'SET' || name === 'APPEND' || name === 'GETSET') return [name, key, value]
  return [name, key]
}

function run(guest: Guest, pieces: string[]): string {
  return pieces.map((piece) => guest.send(1, piece)).join('')
}

describe.each([1, 2, 3])('with seed %i', (seed) => {
  test('20,000 random commands are answered as a Map would', () => {
    const random = randomFrom(seed)
    const keys = [50, 2000, 20_000][seed - 1] ?? 50
    const guest = new Guest('kv')
    guest.open(1)
    const model: Model = new Map()
    for (let done = 0; done < 20_000; done += 50) {
      const commands = Array.from({ length: 50 }, () => randomCommand(random, keys))
      const wanted = commands.map((words) => answer(model, words)).join('')
      expect(guest.send(1, commands.map((words) => command(...words)).join(''))).toBe(wanted)
    }
  })

  test('a fresh instance with a copy of the memory goes on alike', () => {
    const random = randomFrom(seed)
    const first = new Guest('kv')
    first.open(1)
    first.open(2)
    const commands = (count: number) =>
      Array.from({ length: count }, () => command(...randomCommand(random, 3000)))
    run(first, commands(5000))
    first.send(1, '*2\r\n$3\r\nGET\r\n$5\r\nhel')
    first.send(2, '*2\r\n$3\r\nGET\r\n$5\r\nhel')
    const second = new Guest('kv', { memory: first.snapshot() })
    const later = ['lo\r\n', ...commands(5000), command('KEYS', '*'), command('INFO')]
    expect(run(second, later)).toBe(run(first, later))
    expect(Buffer.compare(second.snapshot(), first.snapshot())).toBe(0)
    // After a failover all connections are closed, and a number may come again.
    for (const conn of [1, 2]) second.close(conn)
    second.open(2)
    expect(second.ask(2, 'PING')).toBe('+PONG\r\n')
    expect(second.ask(2, 'INFO')).toMatch(/^connected_clients:1\r$/m)
  })
})

/** One call of SCAN: the next cursor and the keys. */
function scan(guest: Guest, cursor: string, count: number): [string, string[]] {
  const lines = guest.ask(1, 'SCAN', cursor, 'COUNT', String(count)).split('\r\n')
  const keys = lines.slice(4).filter((_, index) => index % 2 === 1)
  return [lines[2] ?? '', keys.filter((key) => key !== '')]
}

function setAll(guest: Guest, prefix: string, from: number, to: number): void {
  for (let i = from; i < to; i++) guest.ask(1, 'SET', `${prefix}${i}`, '')
}

function delAll(guest: Guest, prefix: string, from: number, to: number): void {
  for (let i = from; i < to; i++) guest.ask(1, 'DEL', `${prefix}${i}`)
}

test('SCAN sees each key that stays exactly once while the table grows and shrinks', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 500, max: 4000 }), (others, count) => {
      const guest = new Guest('kv')
      guest.open(1)
      setAll(guest, 'stays:', 0, 5000)
      const seen: string[] = []
      let size = 0
      let cursor = '0'
      let calls = 0
      do {
        const wanted = others[calls++ % others.length] ?? 0
        if (wanted > size) setAll(guest, 'other:', size, wanted)
        else delAll(guest, 'other:', wanted, size)
        size = wanted
        const [next, keys] = scan(guest, cursor, count)
        cursor = next
        seen.push(...keys.filter((key) => key.startsWith('stays:')))
      } while (cursor !== '0' && calls < 1000)
      expect(seen.length).toBe(5000)
      expect(new Set(seen).size).toBe(5000)
    }),
    { numRuns: 10 },
  )
})
