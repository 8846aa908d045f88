// Transactions: what is queued, what EXEC does with it, and what WATCH sees.
import { describe, expect, test } from 'vitest'
import { Guest } from './host.ts'
import { inTime, openKv, usedBytes } from './kv-host.ts'

const QUEUED = '+QUEUED\r\n'
const NIL_ARRAY = '*-1\r\n'
const SPOILED = '-EXECABORT Transaction discarded because of previous errors.\r\n'
const ABORTED = '-EXECABORT Transaction discarded because of: '
describe('MULTI', () => {
  test('queues, and EXEC carries out in one go', () => {
    const guest = openKv()
    const pipeline = ['MULTI', 'SET a 1', 'INCR a', 'GET a', 'LPUSH', 'EXEC', 'GET a']
    expect(guest.send(1, `${pipeline.slice(0, 4).join('\r\n')}\r\n`)).toBe(
      `+OK\r\n${QUEUED.repeat(3)}`,
    )
    expect(guest.ask(2, 'GET', 'a')).toBe('$-1\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n')
    expect(guest.ask(2, 'GET', 'a')).toBe('$1\r\n2\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('-ERR EXEC without MULTI\r\n')
  })

  test.each([
    ['DISCARD', '+OK\r\n'],
    ['RESET', '+RESET\r\n'],
    ['EXEC x', `${ABORTED}wrong number of arguments for 'exec' command\r\n`],
  ])('%s ends it without a trace', (line, answer) => {
    const guest = openKv()
    const before = usedBytes(guest)
    guest.send(1, 'WATCH precious\r\nMULTI\r\nSET precious 2\r\n')
    expect(usedBytes(guest)).toBeGreaterThan(before)
    expect(guest.send(1, `${line}\r\n`)).toBe(answer)
    expect(usedBytes(guest)).toBe(before)
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
  })

  test('an error in the queue spoils all of it, an error in EXEC only its own command', () => {
    const guest = openKv()
    expect(guest.send(1, 'MULTI\r\nSET precious 2\r\nGET\r\nSET precious 3\r\nEXEC\r\n')).toBe(
      `+OK\r\n${QUEUED}-ERR wrong number of arguments for 'get' command\r\n${QUEUED}${SPOILED}`,
    )
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
    guest.send(1, 'MULTI\r\nSET precious x\r\nINCR precious\r\nSET other 1\r\n')
    expect(guest.ask(1, 'EXEC')).toBe(
      '*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n',
    )
  })

  test('is state of the guest: a copy of its memory carries it out as well', () => {
    const guest = openKv()
    guest.send(1, 'WATCH precious\r\nMULTI\r\nINCR precious\r\n')
    const copy = new Guest('kv', { memory: guest.snapshot() })
    expect(copy.ask(1, 'EXEC')).toBe('*1\r\n:2\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('*1\r\n:2\r\n')
    expect(Buffer.compare(copy.snapshot(), guest.snapshot())).toBe(0)
  })

  test.each([
    ['closes', (guest: Guest) => guest.close(1)],
    ['says QUIT', (guest: Guest) => guest.ask(1, 'QUIT')],
    ['breaks the protocol', (guest: Guest) => guest.send(1, '*x\r\n')],
    ['comes again', (guest: Guest) => guest.open(1)],
  ])('goes with a connection that %s', (_, end) => {
    const guest = openKv()
    guest.close(1)
    const before = usedBytes(guest)
    guest.open(1)
    guest.send(1, 'WATCH a b c precious\r\nMULTI\r\nSET a 1\r\n')
    end(guest)
    guest.close(1)
    expect(usedBytes(guest)).toBe(before)
    guest.open(1)
    expect(guest.ask(1, 'EXEC')).toBe('-ERR EXEC without MULTI\r\n')
  })
})

describe('WATCH', () => {
  const changes = [
    'SET precious 1',
    'SETEX precious 10 1',
    'APPEND precious ""',
    'INCR precious',
    'GETSET precious 1',
    'MSET other 1 precious 1',
    'DEL precious',
    'GETDEL precious',
    'RENAME precious other',
    'RENAME precious precious2',
    'EXPIRE precious 10',
    'EXPIRE precious -1',
    'FLUSHALL',
    'SETNX none 1',
    'INCR none',
    'RENAME precious none',
  ]
  test.each(changes)('sees %s, of another client and of its own', (change) => {
    for (const changer of [1, 2]) {
      const guest = openKv()
      guest.send(1, 'WATCH precious none\r\n')
      guest.send(changer, `${change}\r\n`)
      guest.send(1, 'MULTI\r\nSET done 1\r\n')
      expect(guest.ask(1, 'EXEC')).toBe(NIL_ARRAY)
      expect(guest.ask(1, 'EXISTS', 'done')).toBe(':0\r\n')
      guest.send(1, 'MULTI\r\nSET done 1\r\n')
      expect(guest.ask(1, 'EXEC')).toBe('*1\r\n+OK\r\n')
    }
  })

  test.each([
    'GET precious',
    'SETNX precious 2',
    'SET precious 2 NX',
    'PERSIST precious',
    'EXPIRE none 10',
    'DEL none',
    'RENAME precious precious',
    'SET precious 1 EX 0',
    'SET unwatched 1',
  ])('does not see %s', (line) => {
    const guest = openKv()
    guest.send(1, 'WATCH precious none\r\n')
    guest.send(2, `${line}\r\n`)
    guest.send(1, 'MULTI\r\nPING\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('*1\r\n+PONG\r\n')
  })

  test('sees that a key has expired, whether somebody has looked for it or not', () => {
    for (const look of ['', 'GET k\r\n', 'PING\r\n']) {
      const guest = openKv()
      guest.ask(2, 'SET', 'k', 'v', 'PX', '10')
      guest.send(1, 'WATCH k\r\nMULTI\r\nPING\r\n')
      guest.nowMs += 11
      if (look) guest.send(2, look)
      expect(guest.ask(1, 'EXEC')).toBe(NIL_ARRAY)
    }
  })

  test('does not see it of a key that had expired before', () => {
    const guest = openKv()
    guest.ask(2, 'SET', 'k', 'v', 'PX', '10')
    guest.nowMs += 11
    guest.send(1, 'WATCH k\r\nMULTI\r\nPING\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('*1\r\n+PONG\r\n')
  })

  test('of very many clients is told to all of them', () => {
    const guest = new Guest('kv')
    for (let conn = 1; conn <= 4000; conn++) {
      guest.open(conn)
      guest.send(conn, `WATCH shared own${conn}\r\nMULTI\r\nPING\r\n`)
    }
    guest.send(4000, 'DISCARD\r\n')
    inTime(() => guest.ask(4000, 'SET', 'shared', '1'))
    for (let conn = 1; conn < 4000; conn++) expect(guest.ask(conn, 'EXEC')).toBe(NIL_ARRAY)
    for (let conn = 1; conn < 4000; conn++) guest.close(conn)
    guest.ask(4000, 'DEL', 'shared')
    const empty = new Guest('kv')
    empty.open(1)
    expect(usedBytes(guest, 4000)).toBe(usedBytes(empty, 1))
  })

  test('is limited, and what is refused watches nothing', () => {
    const guest = openKv()
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`)
    const refusal = '-ERR too many keys are watched: at most 1024 here and 16384 by all clients\r\n'
    expect(guest.ask(1, 'WATCH', ...keys)).toBe('+OK\r\n')
    expect(guest.ask(1, 'WATCH', ...keys.slice(0, 24))).toBe('+OK\r\n')
    expect(guest.ask(1, 'WATCH', ...keys.map((key) => `${key}x`))).toBe(refusal)
    guest.ask(2, 'SET', 'k0x', '1')
    guest.send(1, 'MULTI\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('*0\r\n')
    let watching = 3
    for (guest.open(watching); guest.ask(watching, 'WATCH', ...keys) === '+OK\r\n';) {
      guest.open(++watching)
    }
    expect(watching - 3).toBe(16)
    const long = 'x'.repeat(500_000)
    const other = openKv()
    const answers = Array.from({ length: 10 }, (_, i) => other.ask(1, 'WATCH', `${i}${long}`))
    expect(answers.filter((answer) => answer === '+OK\r\n')).toHaveLength(8)
    expect(answers.at(-1)).toBe('-ERR the watched keys would have more than 4 MiB\r\n')
  })
})
