// Memory runs out, and comes back: the guest refuses what it cannot keep, never traps, has done nothing when
// it refuses, and what was deleted serves again, in other sizes too.
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'

const usedBytes = (guest: Guest) => Number(/used_memory:(\d+)/.exec(guest.ask(1, 'INFO'))?.[1])

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
const ONE_MIB_PAGES = 16

function openKv(maximumPages = ONE_MIB_PAGES): Guest {
  const guest = new Guest('kv', { maximumPages })
  guest.open(1)
  return guest
}

/** Stores values of one size until memory is full; how many there was room for. */
function fill(guest: Guest, prefix: string, size: number): number {
  const value = 'x'.repeat(size)
  for (let count = 0; ; count++) {
    const reply = guest.ask(1, 'SET', `${prefix}${count}`, value)
    if (reply === OOM) return count
    expect(reply).toBe('+OK\r\n')
  }
}

function deleteAll(guest: Guest, prefix: string, count: number): void {
  for (let i = 0; i < count; i++) expect(guest.ask(1, 'DEL', `${prefix}${i}`)).toBe(':1\r\n')
}

test('SET until memory is full, DEL, and SET again', () => {
  const guest = openKv()
  const count = fill(guest, 'a', 1000)
  expect(count).toBeGreaterThan(400)
  expect(guest.ask(1, 'GET', 'a0')).toBe(`$1000\r\n${'x'.repeat(1000)}\r\n`)
  expect(guest.ask(1, 'DEL', 'a0')).toBe(':1\r\n')
  expect(guest.ask(1, 'SET', 'again', 'x'.repeat(1000))).toBe('+OK\r\n')
  expect(guest.ask(1, 'DBSIZE')).toBe(`:${count}\r\n`)
  expect(guest.memory.buffer.byteLength).toBe(ONE_MIB_PAGES * 65536)
})

test('what was deleted serves values of other sizes, as often as one likes', () => {
  const guest = openKv()
  const first = fill(guest, 'a', 1000)
  deleteAll(guest, 'a', first)
  for (const size of [10, 5000, 60_000, 300, 1000]) {
    const count = fill(guest, 'b', size)
    expect((count * size) / (first * 1000)).toBeGreaterThan(size === 10 ? 0.15 : 0.75)
    deleteAll(guest, 'b', count)
  }
  expect(fill(guest, 'a', 1000)).toBe(first)
  expect(guest.ask(1, 'FLUSHALL')).toBe('+OK\r\n')
  expect(fill(guest, 'a', 1000)).toBe(first)
})

test('every command that needs memory says so, and has done nothing', () => {
  const guest = openKv()
  fill(guest, 'a', 5000)
  fill(guest, 'b', 10)
  const before = guest.ask(1, 'DBSIZE')
  const large = 'y'.repeat(5000)
  expect(guest.ask(1, 'SET', 'b0', large)).toBe(OOM)
  expect(guest.ask(1, 'GETSET', 'b0', large)).toBe(OOM)
  expect(guest.ask(1, 'SET', 'b0', large, 'GET')).toBe(OOM)
  expect(guest.ask(1, 'APPEND', 'b0', large)).toBe(OOM)
  expect(guest.ask(1, 'SETNX', 'new', large)).toBe(OOM)
  expect(guest.ask(1, 'INCR', 'new'.repeat(20))).toBe(OOM)
  expect(guest.ask(1, 'MSET', 'b0', 'z', 'b1', large)).toBe(OOM)
  expect(guest.ask(1, 'MGET', 'b0', 'b1', 'new')).toBe(
    `*3\r\n$10\r\n${'x'.repeat(10)}\r\n$10\r\n${'x'.repeat(10)}\r\n$-1\r\n`,
  )
  expect(guest.ask(1, 'DBSIZE')).toBe(before)
  expect(guest.ask(1, 'SET', 'b0', 'y'.repeat(10))).toBe('+OK\r\n')
})

test('a refused MSET keeps nothing of what it had prepared', () => {
  const guest = openKv()
  fill(guest, 'a', 1000)
  guest.ask(1, 'DEL', 'a0')
  const before = usedBytes(guest)
  const pairs = ['p', 'x'.repeat(300), 'q', 'x'.repeat(300), 'r', 'x'.repeat(9000)]
  for (let i = 0; i < 100; i++) expect(guest.ask(1, 'MSET', ...pairs)).toBe(OOM)
  expect(usedBytes(guest)).toBe(before)
})

describe('when memory is full', () => {
  test('a command that comes in pieces is still heard', () => {
    const guest = openKv()
    const count = fill(guest, 'a', 1000)
    fill(guest, 'b', 1)
    const stream = Array.from({ length: count }, (_, i) => command('DEL', `a${i}`)).join('')
    let heard = ''
    for (let at = 0; at < stream.length; at += 7) heard += guest.send(1, stream.slice(at, at + 7))
    expect(heard).toBe(':1\r\n'.repeat(count))
    expect(fill(guest, 'c', 1000)).toBeGreaterThan(count - 20)
  })

  test('a client whose unfinished command has no room is closed, and others go on', () => {
    const guest = openKv()
    fill(guest, 'a', 1000)
    fill(guest, 'b', 1)
    guest.open(2)
    const stream = command('SET', 'k', 'x'.repeat(500_000))
    let heard = ''
    for (let at = 0; at < stream.length; at += 10_000) {
      heard += guest.send(2, stream.slice(at, at + 10_000))
    }
    expect(heard).toBe(OOM)
    expect(guest.closed).toEqual([2])
    guest.close(2)
    expect(guest.ask(1, 'SET', 'new', 'v'.repeat(100))).toBe(OOM)
    expect(guest.ask(1, 'DEL', 'a0')).toBe(':1\r\n')
    expect(guest.ask(1, 'SET', 'new', 'v'.repeat(100))).toBe('+OK\r\n')
  })

  test('new clients are taken from the reserve, then refused, and nothing traps', () => {
    const guest = openKv()
    fill(guest, 'a', 1000)
    fill(guest, 'b', 1)
    for (let conn = 2; conn <= 4000; conn++) {
      guest.open(conn)
      guest.send(conn, '*2\r\n$3\r\nGET\r\n$2\r\na'.padEnd(18, '1'))
    }
    expect(guest.closed.length).toBeGreaterThan(0)
    expect(guest.ask(1, 'GET', 'b0')).toBe('$1\r\nx\r\n')
    for (let conn = 2; conn <= 4000; conn++) guest.close(conn)
    expect(guest.ask(1, 'DEL', 'a1')).toBe(':1\r\n')
    expect(guest.ask(1, 'SET', 'a1', 'x')).toBe('+OK\r\n')
  })
})

test('large input is taken where there is room for it, and refused where not', () => {
  const guest = openKv(64)
  expect(guest.send(1, command('PING').repeat(50_000))).toBe('+PONG\r\n'.repeat(50_000))
  expect(guest.exports.colo_buffer(2 * 1024 * 1024)).toBe(0)
  expect(guest.exports.colo_buffer(-1)).toBe(0)
  expect(openKv().exports.colo_buffer(1024 * 1024)).toBe(0)
})

test('deleting most keys of a large table gives its memory back', () => {
  const guest = openKv(1024)
  const empty = usedBytes(guest)
  for (let i = 0; i < 200_000; i++) guest.ask(1, 'SET', `k${i}`, 'v')
  expect(usedBytes(guest)).toBeGreaterThan(200_000 * 24)
  for (let i = 0; i < 200_000; i++) guest.ask(1, 'DEL', `k${i}`)
  expect(usedBytes(guest)).toBe(empty)
  const size = guest.memory.buffer.byteLength
  for (let i = 0; i < 200_000; i++) guest.ask(1, 'SET', `m${i}`, 'v')
  expect(guest.memory.buffer.byteLength).toBe(size)
})
