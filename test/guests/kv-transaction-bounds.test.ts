// What transactions may take: queues are limited, and what EXEC would need too much of is refused as a whole, before
// anything of it is done.
import { describe, expect, test } from 'vitest'
import { command, type Guest } from './host.ts'
import { inTime, openKv, usedBytes } from './kv-host.ts'

const QUEUED = '+QUEUED\r\n'
const SPOILED = '-EXECABORT Transaction discarded because of previous errors.\r\n'
const ABORTED = '-EXECABORT Transaction discarded because of: '
const OOM = "OOM command not allowed when used memory > 'maxmemory'.\r\n"
const MIB = 1024 * 1024
/** Queues one command so often, in pieces as a client sends them. */
function queue(guest: Guest, conn: number, one: string, count: number): string {
  const inPiece = Math.max(1, Math.floor(60_000 / one.length))
  let heard = ''
  for (let done = 0; done < count; done += inPiece) {
    heard = guest.send(conn, one.repeat(Math.min(inPiece, count - done)))
  }
  return heard.slice(heard.lastIndexOf('\r\n', heard.length - 3) + 2 || 0)
}

describe('what EXEC would need too much of is refused as a whole', () => {
  test('time', () => {
    const guest = openKv(4096)
    guest.ask(1, 'SET', 'large', 'x'.repeat(MIB / 2))
    guest.send(1, 'MULTI\r\nSET precious 2\r\n')
    expect(queue(guest, 1, 'RENAME large large2\r\nRENAME large2 large\r\n', 20_000)).toBe(QUEUED)
    expect(inTime(() => guest.ask(1, 'EXEC'))).toBe(
      `${ABORTED}it would take too long: queue less at a time\r\n`,
    )
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
    guest.send(1, 'MULTI\r\nSET precious 2\r\n')
    queue(guest, 1, 'FLUSHALL\r\n', 20_000)
    expect(inTime(() => guest.ask(1, 'EXEC'))).toMatch(/too long/)
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
  })

  test('answers', () => {
    const guest = openKv(4096)
    guest.ask(1, 'SET', 'large', 'x'.repeat(MIB / 2))
    for (const [line, more] of [
      ['GET large\r\n', 40],
      ['MGET large large\r\n', 20],
      ['SET precious 2 GET\r\nRENAME large precious\r\nRENAME precious large\r\n', 20],
      ['RENAME large other\r\nGETDEL other\r\nRENAME other large\r\n', 20],
    ] as const) {
      guest.send(1, 'MULTI\r\nSET precious 2\r\n')
      expect(queue(guest, 1, line, more)).toBe(QUEUED)
      expect(guest.ask(1, 'EXEC')).toBe(
        `${ABORTED}the answer would be longer than 16 MiB: queue less at a time\r\n`,
      )
      expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
    }
    guest.send(1, 'MULTI\r\n')
    queue(guest, 1, 'GET large\r\n', 30)
    expect(guest.ask(1, 'EXEC').length).toBeGreaterThan(15 * MIB)
  })

  test('memory', () => {
    const guest = openKv(64)
    guest.send(1, 'MULTI\r\nSET precious 2\r\n')
    for (let i = 0; i < 7; i++) {
      expect(guest.ask(1, 'SET', `k${i}`, 'x'.repeat(MIB / 4))).toBe(QUEUED)
    }
    expect(guest.ask(1, 'EXEC')).toBe(`${ABORTED}${OOM}`)
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
    guest.ask(1, 'MULTI')
    for (let i = 0; ; i++) {
      const answer = guest.ask(1, 'SET', `k${i}`, 'x'.repeat(MIB / 4))
      if (answer === QUEUED) continue
      expect(answer).toBe(`-${OOM}`)
      break
    }
    expect(guest.ask(1, 'EXEC')).toBe(SPOILED)
  })

  test('but what looks at many keys is refused alone, and takes nothing from the others', () => {
    const guest = openKv(4096)
    const pairs = Array.from({ length: 500 }, (_, i) => [`key${i}`, 'v']).flat()
    for (let round = 0; round < 800; round++) {
      guest.ask(1, 'MSET', ...pairs.map((word) => (word === 'v' ? word : `${word}:${round}`)))
    }
    guest.send(1, 'MULTI\r\nKEYS *\r\nSET precious 2\r\nDBSIZE\r\n')
    expect(inTime(() => guest.ask(1, 'EXEC'))).toBe(
      '*3\r\n-ERR KEYS would take too long here: use SCAN\r\n+OK\r\n:400001\r\n',
    )
  })
})

describe('the queue is limited', () => {
  const TOO_LARGE = '-ERR the transaction is too large: 65536 commands and 4 MiB are the most\r\n'

  test('in commands, all of which EXEC carries out in time', () => {
    const guest = openKv()
    guest.send(1, 'MULTI\r\n')
    expect(queue(guest, 1, 'SET k v\r\n', 65_536)).toBe(QUEUED)
    expect(inTime(() => guest.ask(1, 'EXEC'))).toMatch(/^\*65536\r\n\+OK/)
    guest.send(1, 'MULTI\r\n')
    expect(queue(guest, 1, 'SET k v\r\n', 65_537)).toBe(TOO_LARGE)
    expect(guest.ask(1, 'EXEC')).toBe(SPOILED)
  })

  test('in bytes, of one client and of all', () => {
    const guest = openKv()
    // The host's buffer for so much input stays.
    guest.ask(1, 'ECHO', 'x'.repeat(500_000))
    const before = usedBytes(guest)
    const large = command('SET', 'k', 'x'.repeat(500_000))
    guest.send(1, 'MULTI\r\n')
    expect(Array.from({ length: 9 }, () => guest.send(1, large)).at(-1)).toBe(TOO_LARGE)
    expect(guest.ask(1, 'DISCARD')).toBe('+OK\r\n')
    expect(usedBytes(guest)).toBe(before)
    for (let conn = 3; conn < 8; conn++) {
      guest.open(conn)
      guest.send(conn, 'MULTI\r\n')
      for (let i = 0; i < 7; i++) guest.send(conn, large)
    }
    expect(guest.send(7, 'EXEC\r\n')).toBe(SPOILED)
    guest.close(3)
    guest.send(7, 'MULTI\r\n')
    for (let i = 0; i < 7; i++) expect(guest.send(7, large)).toBe(QUEUED)
    expect(guest.send(7, 'EXEC\r\n')).toMatch(/^\*7\r\n/)
  })
})
