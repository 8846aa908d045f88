// What one client asks for is bounded, whatever it is: patterns, answers and the work of one call. A guest that
// works for seconds is ended by its host, on one side and then on the other.
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'
import { inTime, usedBytes } from './kv-host.ts'

const MIB = 1024 * 1024
const ANSWER_BYTES_MAX = 16 * MIB
const TOO_LONG =
  '-ERR the answer would be longer than 16 MiB, with all that this input asked for before\r\n'
const USE_SCAN = '-ERR KEYS would take too long here: use SCAN\r\n'
const CROWDED = '-ERR too many keys have the hash of this one: use another key\r\n'

function openKv(maximumPages = 4096): Guest {
  const guest = new Guest('kv', { maximumPages })
  guest.open(1)
  return guest
}

/** So that many small keys are there. */
function fillKeys(guest: Guest, count: number): void {
  for (let first = 0; first < count; first += 2000) {
    const keys = Array.from({ length: Math.min(2000, count - first) }, (_, i) => `k${first + i}`)
    guest.send(1, keys.map((key) => `SET ${key} v\r\n`).join(''))
  }
}

const asked = (answer: string) => /^\*2\r\n\$\d+\r\n(\d+)\r\n\*(\d+)\r\n/.exec(answer)!.slice(1)

describe('a pattern', () => {
  test.each([
    ['KEYS', (pattern: string) => ['KEYS', pattern]],
    ['SCAN', (pattern: string) => ['SCAN', '0', 'MATCH', pattern]],
    ['CONFIG GET', (pattern: string) => ['CONFIG', 'GET', 'save', pattern]],
  ])('of %s has at most 1024 bytes', (_, words) => {
    const guest = openKv()
    expect(guest.ask(1, ...words('*'.repeat(1024)))).not.toMatch(/^-/)
    expect(guest.ask(1, ...words('*'.repeat(1025)))).toBe(
      '-ERR the pattern is longer than 1024 bytes\r\n',
    )
  })

  test('that fits a long key everywhere but at its end does not keep the guest', () => {
    const guest = openKv()
    guest.ask(1, 'SET', 'a'.repeat(500_000), 'x')
    const evil = `*${'a'.repeat(1000)}b`
    expect(inTime(() => guest.ask(1, 'KEYS', evil))).toBe(USE_SCAN)
    const pipeline = command('KEYS', evil).repeat(1000)
    expect(inTime(() => guest.send(1, pipeline))).toBe(USE_SCAN.repeat(1000))
    // SCAN stops before such a key, and says so where it begins with it.
    const [cursor] = asked(guest.ask(1, 'SCAN', '0', 'COUNT', '100000', 'MATCH', evil))
    expect(inTime(() => guest.ask(1, 'SCAN', cursor, 'COUNT', '100000', 'MATCH', evil))).toBe(
      '-ERR it would take too long: ask for less at a time\r\n',
    )
    expect(guest.ask(1, 'KEYS', 'a*')).toMatch(/^\*1\r\n/)
  })

  test.each(['*?*?*?*?*?*?*?*?*?*z', `${'a*'.repeat(500)}b`, `${'?*'.repeat(400)}[`])(
    'of many stars is no trouble: %s',
    (pattern) => {
      const guest = openKv()
      for (let i = 0; i < 20; i++) guest.ask(1, 'SET', `${'a'.repeat(100_000)}${i}`, 'x')
      expect(inTime(() => guest.ask(1, 'KEYS', pattern))).toBe('*0\r\n')
    },
  )
})

describe('the answers to one input', () => {
  function withLarge(): Guest {
    const guest = openKv()
    guest.ask(1, 'SET', 'v', 'x'.repeat(MIB / 2))
    guest.ask(1, 'APPEND', 'v', 'x'.repeat(MIB / 2 - 1))
    return guest
  }

  test('MGET of one value again and again is refused, before anything of it is said', () => {
    const guest = withLarge()
    const times = (count: number) => Array.from({ length: count }, () => 'v')
    expect(guest.ask(1, 'MGET', ...times(15)).length).toBeGreaterThan(15 * (MIB - 1))
    expect(guest.ask(1, 'MGET', ...times(16))).toBe(TOO_LONG)
    expect(guest.ask(1, 'MGET', ...times(1000))).toBe(TOO_LONG)
    expect(guest.ask(1, 'PING')).toBe('+PONG\r\n')
  })

  test.each([
    ['GET', 'GET v\r\n'],
    ['MGET', 'MGET v v v\r\n'],
    ['GETSET', 'GETSET v y\r\nAPPEND v x\r\n'],
    ['SET with GET', 'SET w y GET\r\n'],
    ['CLIENT LIST', 'CLIENT LIST\r\n'],
  ])('%s in a pipeline: the first are answered, the others refused, all in order', (_, one) => {
    const guest = withLarge()
    for (let conn = 2; conn <= 4000; conn++) guest.open(conn)
    const pipeline = one.repeat(Math.floor(16_384 / one.length))
    const answer = inTime(() => guest.send(1, `ECHO first\r\n${pipeline}ECHO last\r\n`))
    expect(answer.length).toBeLessThan(ANSWER_BYTES_MAX + MIB)
    expect(answer.startsWith('$5\r\nfirst\r\n')).toBe(true)
    expect(answer.endsWith('$4\r\nlast\r\n')).toBe(true)
  })

  test('what is refused has changed nothing', () => {
    const guest = withLarge()
    const many = 'GET v\r\n'.repeat(20)
    const answer = guest.send(1, `${many}GETSET v new\r\nSET v new GET\r\nSET other 1\r\n`)
    expect(answer.endsWith(`${TOO_LONG.repeat(7)}+OK\r\n`)).toBe(true)
    expect(guest.ask(1, 'STRLEN', 'v')).toBe(`:${MIB - 1}\r\n`)
    expect(guest.ask(1, 'GET', 'other')).toBe('$1\r\n1\r\n')
  })

  test('KEYS of many long keys', () => {
    const guest = openKv()
    const fill = 'x'.repeat(400_000)
    for (let i = 0; i < 60; i++) guest.ask(1, 'SET', `${i}${fill}`, '')
    expect(guest.ask(1, 'KEYS', '*')).toBe(TOO_LONG)
    expect(guest.ask(1, 'KEYS', '1[0-9]*')).toBe('*0\r\n')
    expect(guest.ask(1, 'KEYS', '?1xx*')).toMatch(/^\*5\r\n/)
    let cursor = '0'
    let seen = 0
    do {
      const answer = guest.ask(1, 'SCAN', cursor, 'COUNT', '1000000')
      expect(answer.length).toBeLessThan(4 * MIB)
      const [next, count] = asked(answer)
      cursor = next
      seen += Number(count)
    } while (cursor !== '0')
    expect(seen).toBe(60)
  })
})

describe('with very many keys', () => {
  const COUNT = 400_000

  test('KEYS is refused, SCAN sees each key, whatever COUNT it is given', () => {
    const guest = openKv()
    fillKeys(guest, 100_000)
    expect(guest.ask(1, 'KEYS', '*')).toMatch(/^\*100000\r\n/)
    fillKeys(guest, COUNT)
    expect(inTime(() => guest.send(1, 'KEYS *\r\n'.repeat(2000)))).toBe(USE_SCAN.repeat(2000))
    inTime(() => guest.send(1, 'SCAN 0 COUNT 4000000000 MATCH none\r\n'.repeat(400)))
    let cursor = '0'
    const seen = new Set<string>()
    do {
      const answer = guest.ask(1, 'SCAN', cursor, 'COUNT', '4000000000')
      cursor = asked(answer)[0]
      for (const [key] of answer.matchAll(/k\d+/g)) seen.add(key)
    } while (cursor !== '0')
    expect(seen.size).toBe(COUNT)
  })

  test('FLUSHALL answers at once, and releases what is left as it goes on', () => {
    const guest = openKv()
    const empty = usedBytes(guest, 1)
    fillKeys(guest, COUNT)
    const full = usedBytes(guest, 1)
    expect(guest.ask(1, 'FLUSHALL')).toBe('+OK\r\n')
    expect(guest.ask(1, 'DBSIZE')).toBe(':0\r\n')
    expect(guest.ask(1, 'KEYS', '*')).toBe('*0\r\n')
    const after = usedBytes(guest, 1)
    expect(after).toBeLessThan(full)
    expect(after).toBeGreaterThan(full / 10)
    guest.ask(1, 'SET', 'k1', 'new')
    expect(guest.ask(1, 'FLUSHALL')).toBe('+OK\r\n')
    guest.ask(1, 'SET', 'k2', 'new')
    for (let i = 0; i < 2000 && usedBytes(guest, 1) > empty + 1000; i++) guest.ask(1, 'PING')
    expect(usedBytes(guest, 1)).toBeLessThan(empty + 1000)
    expect(guest.ask(1, 'MGET', 'k1', 'k2')).toBe('*2\r\n$-1\r\n$3\r\nnew\r\n')
  })

  test('what is not released yet is, where memory is needed', () => {
    const guest = openKv(256)
    const fill = () => {
      for (let i = 0; ; i += 1000) {
        const pairs = Array.from({ length: 500 }, (_, k) => [`k${i + k}`, 'v']).flat()
        if (guest.ask(1, 'MSET', ...pairs) !== '+OK\r\n') return i
      }
    }
    const first = fill()
    expect(first).toBeGreaterThan(200_000)
    expect(guest.ask(1, 'FLUSHALL')).toBe('+OK\r\n')
    const large = command('SET', 'large', 'x'.repeat(500_000))
    let heard = ''
    for (let at = 0; at < large.length; at += 16_384) {
      heard += guest.send(1, large.slice(at, at + 16_384))
    }
    expect(heard).toBe('+OK\r\n')
    expect(guest.ask(1, 'DEL', 'large')).toBe(':1\r\n')
    expect(fill()).toBeGreaterThan(first * 0.95)
  })
})

describe('keys that were made to have one hash', () => {
  const FACTOR = 0x9e3779b97f4a7c15n
  const WANTED = 0x0123456789abcdefn
  const wrap = (value: bigint) => BigInt.asUintN(64, value)
  const rotate = (value: bigint, by: bigint) => wrap(value << by) | (value >> (64n - by))

  /** The inverse of an odd number modulo 2^64. */
  function inverse(factor: bigint): bigint {
    let value = factor
    for (let i = 0; i < 6; i++) value = wrap(value * (2n - factor * value))
    return value
  }

  /** Sixteen bytes: the first eight are chosen, the others follow from them. */
  function colliding(index: number): string {
    const first = BigInt(index)
    const middle = wrap(rotate(wrap(16n * FACTOR) ^ first, 29n) * FACTOR)
    const second = rotate(wrap(WANTED * inverse(FACTOR)), 35n) ^ middle
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64LE(first)
    bytes.writeBigUInt64LE(second, 8)
    return bytes.toString('latin1')
  }

  test.each([
    ['SET', (key: string) => ['SET', key, 'v']],
    ['SETNX', (key: string) => ['SETNX', key, 'v']],
    ['APPEND', (key: string) => ['APPEND', key, 'v']],
    ['INCR', (key: string) => ['INCR', key]],
    ['MSET', (key: string) => ['MSET', 'other', 'v', key, 'v']],
    ['GETSET', (key: string) => ['GETSET', key, 'v']],
  ])('%s refuses the one too many: a chain is gone through for each of them', (_, words) => {
    const guest = openKv()
    for (let i = 0; i < 128; i++) expect(guest.ask(1, ...words(colliding(i)))).not.toMatch(/^-/)
    expect(guest.ask(1, ...words(colliding(128)))).toBe(CROWDED)
    expect(guest.ask(1, 'EXISTS', colliding(128))).toBe(':0\r\n')
    expect(guest.ask(1, ...words(colliding(5)))).not.toBe(CROWDED)
    expect(guest.ask(1, 'SET', 'another', 'v')).toBe('+OK\r\n')
    expect(guest.ask(1, 'DEL', colliding(0))).toBe(':1\r\n')
    expect(guest.ask(1, ...words(colliding(128)))).not.toMatch(/^-/)
  })
})
