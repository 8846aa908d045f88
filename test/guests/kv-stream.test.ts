// The byte stream of a connection: where it is cut must not matter, what breaks the protocol closes it, and
// what a client may make the guest keep is limited.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'

const MIB = 1024 * 1024

function openKv(): Guest {
  const guest = new Guest('kv')
  guest.open(1)
  return guest
}

const word = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '7', '-12', ''),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  fc.nat(9000).map((length) => 'x'.repeat(length)),
)

/** One request: mostly sound, sometimes not. */
const request = fc.oneof(
  { weight: 4, arbitrary: word.map((key) => command('GET', key)) },
  { weight: 4, arbitrary: fc.tuple(word, word).map(([key, value]) => command('SET', key, value)) },
  {
    weight: 2,
    arbitrary: fc.tuple(word, word).map(([key, value]) => command('APPEND', key, value)),
  },
  { weight: 2, arbitrary: word.map((key) => command('INCR', key)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('PING\r\n', 'SET "a b" \'c\'\n', '\r\n', '*0\r\n', '*-1\r\n'),
  },
  { weight: 1, arbitrary: fc.constantFrom('SET "a\r\n', '*1\r\n:1\r\n', '*9999\r\n', 'QUIT\r\n') },
  { weight: 1, arbitrary: fc.nat(40).map((length) => `*${'1'.repeat(length)}\r\n`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 60 }) },
)

test('a stream gives the same answers wherever it is cut', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 30 })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 40 }), cuts, (requests, places) => {
      const stream = requests.join('').slice(0, 65536)
      const whole = openKv()
      const wanted = whole.send(1, stream)
      const cut = openKv()
      const ends = places.map((place) => place % (stream.length + 1)).toSorted((a, b) => a - b)
      let from = 0
      let heard = ''
      for (const end of [...ends, stream.length]) {
        heard += cut.send(1, stream.slice(from, end))
        from = end
      }
      expect(heard).toBe(wanted)
      expect(cut.closed).toEqual(whole.closed)
    }),
    { numRuns: 300 },
  )
})

test('a number that is too long is refused alike wherever it is cut', () => {
  for (let digits = 17; digits < 40; digits++) {
    for (const start of ['*', '*1\r\n$']) {
      const stream = `${start}${'1'.repeat(digits)}\r\n`
      const wanted = openKv().send(1, stream)
      expect(wanted).toMatch(/^-ERR Protocol error/)
      const guest = openKv()
      const heard = stream.split('').map((byte) => guest.send(1, byte))
      expect(heard.join('')).toBe(wanted)
    }
  }
})

test('a stream may come byte by byte', () => {
  const stream =
    command('SET', 'key', 'value') + 'GET key\r\n' + command('GET', 'key') + '*1\r\n$04\r\nPING\r\n'
  const guest = openKv()
  const heard = stream
    .split('')
    .map((byte) => guest.send(1, byte))
    .join('')
  expect(heard).toBe('+OK\r\n$5\r\nvalue\r\n$5\r\nvalue\r\n+PONG\r\n')
})

test('the answers to one input leave in one piece', () => {
  const guest = openKv()
  expect(guest.send(1, command('PING').repeat(1000))).toBe('+PONG\r\n'.repeat(1000))
  expect(guest.outputCalls).toBe(1)
})

test('connections do not disturb one another', () => {
  const guest = openKv()
  guest.open(2)
  expect(guest.send(1, '*2\r\n$3\r\nGET\r\n$1')).toBe('')
  expect(guest.ask(2, 'SET', 'k', 'v')).toBe('+OK\r\n')
  expect(guest.send(1, '\r\nk\r\n')).toBe('$1\r\nv\r\n')
  expect(guest.heard(2)).toBe('')
})

test('values of half a mebibyte go in and come out', () => {
  const guest = openKv()
  const value = 'x'.repeat(MIB / 2)
  const stream = command('SET', 'k', value)
  let heard = ''
  for (let at = 0; at < stream.length; at += 65536)
    heard += guest.send(1, stream.slice(at, at + 65536))
  expect(heard).toBe('+OK\r\n')
  expect(guest.ask(1, 'GET', 'k') === `$${value.length}\r\n${value}\r\n`).toBe(true)
})

test('APPEND stops at one mebibyte', () => {
  const guest = openKv()
  const half = 'x'.repeat(MIB / 2)
  expect(guest.ask(1, 'APPEND', 'k', half)).toBe(':524288\r\n')
  expect(guest.ask(1, 'APPEND', 'k', half)).toBe(':1048576\r\n')
  expect(guest.ask(1, 'APPEND', 'k', 'x')).toMatch(/^-ERR string exceeds maximum allowed size/)
})

describe('what breaks the protocol is answered and closes the connection', () => {
  test.each([
    ['*1025\r\n', 'invalid multibulk length'],
    ['*x\r\n', 'invalid multibulk length'],
    ['*\r\n', 'invalid multibulk length'],
    [`*${'1'.repeat(40)}`, 'too big mbulk count string'],
    ['*1\r\n:1\r\n', "expected '$', got ':'"],
    ['*1\r\n\x00', "expected '$', got ''"],
    ['*1\r\n$524289\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    [`*1\r\n$${'1'.repeat(40)}`, 'too big bulk count string'],
    ['SET "a\r\n', 'unbalanced quotes in request'],
    ['SET "a"b c\r\n', 'unbalanced quotes in request'],
    ['x'.repeat(65536), 'too big inline request'],
    ['x '.repeat(1025) + '\r\n', 'invalid multibulk length'],
  ])('%#', (stream, words) => {
    const guest = openKv()
    guest.send(1, stream.slice(0, 1))
    const heard = guest.send(1, stream.slice(1))
    expect(heard).toBe(`-ERR Protocol error: ${words}\r\n`)
    expect(guest.closed).toEqual([1])
    expect(guest.ask(1, 'PING')).toBe('')
    guest.close(1)
    guest.open(1)
    expect(guest.ask(1, 'PING')).toBe('+PONG\r\n')
  })
})

test('a command in all is limited, before its last argument has come', () => {
  const guest = openKv()
  const half = 'x'.repeat(MIB / 2)
  guest.send(1, `*4\r\n$4\r\nMSET\r\n$1\r\na\r\n$524288\r\n${half}\r\n`)
  expect(guest.send(1, '$524288\r\n')).toBe('-ERR Protocol error: too big command\r\n')
  expect(guest.closed).toEqual([1])
})

test('QUIT closes, and nothing after it is carried out', () => {
  const guest = openKv()
  const stream = command('SET', 'k', '1') + command('QUIT') + command('SET', 'k', '2')
  expect(guest.send(1, stream)).toBe('+OK\r\n+OK\r\n')
  expect(guest.closed).toEqual([1])
  guest.open(2)
  expect(guest.ask(2, 'GET', 'k')).toBe('$1\r\n1\r\n')
})

test('a connection that the guest closes is forgotten, without a word from the host', () => {
  const guest = openKv()
  for (let conn = 2; conn < 9000; conn++) {
    guest.open(conn)
    guest.send(conn, conn % 2 ? 'QUIT\r\n' : '*x\r\n')
  }
  expect(guest.closed.length).toBe(8998)
  expect(guest.ask(1, 'INFO')).toMatch(/^connected_clients:1\r$/m)
})

test('4096 connections, and no more', () => {
  const guest = new Guest('kv')
  for (let conn = 1; conn <= 4096; conn++) guest.open(conn * 3)
  expect(guest.closed).toEqual([])
  guest.open(1)
  expect(guest.closed).toEqual([1])
  expect(guest.heard(1)).toBe('-ERR max number of clients reached\r\n')
  guest.close(3)
  guest.open(1)
  expect(guest.ask(1, 'PING')).toBe('+PONG\r\n')
  expect(guest.ask(12288, 'PING')).toBe('+PONG\r\n')
  expect(guest.ask(1, 'CLIENT', 'LIST').split('\n').length).toBe(4096 + 3)
})
