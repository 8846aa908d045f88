// Keys expire by the clock that the host gives: not before their deadline, never to be seen after it, and their
// memory comes back with bounded work in each call, since nobody calls the guest when a deadline passes.
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'
import { chanceFrom } from './kv-random.ts'

function openKv(maximumPages = 1024): Guest {
  const guest = new Guest('kv', { maximumPages })
  guest.open(1)
  return guest
}

const usedBytes = (guest: Guest) => Number(/used_memory:(\d+)/.exec(guest.ask(1, 'INFO'))?.[1])
/** Of deadlines, kept for the next ones. */
const SPARE_BYTES = 64 * 1024
const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
/** Far more than any of it takes, and far less than the same takes without a limit. */
const CALL_MS = 1000

function fill(guest: Guest, count: number, ttlMs: number): void {
  for (let first = 0; first < count; first += 1000) {
    const lines = Array.from({ length: Math.min(1000, count - first) }, (_, i) => {
      return `SET k${first + i} v PX ${ttlMs}\r\n`
    })
    guest.send(1, lines.join(''))
  }
}

test('a key is there in the millisecond of its deadline, and gone in the next', () => {
  const guest = openKv()
  guest.ask(1, 'SET', 'k', 'v', 'PX', '100')
  guest.nowMs += 100
  expect(guest.ask(1, 'PTTL', 'k')).toBe(':0\r\n')
  expect(guest.ask(1, 'GET', 'k')).toBe('$1\r\nv\r\n')
  guest.nowMs += 1
  expect(guest.ask(1, 'GET', 'k')).toBe('$-1\r\n')
  expect(guest.ask(1, 'PTTL', 'k')).toBe(':-2\r\n')
})

describe('what has expired', () => {
  test.each([
    ['GET k0', '$-1\r\n'],
    ['EXISTS k0 k1', ':0\r\n'],
    ['TYPE k0', '+none\r\n'],
    ['DEL k0', ':0\r\n'],
    ['INCR k0', ':1\r\n'],
    ['APPEND k0 x', ':1\r\n'],
    ['SETNX k0 x', ':1\r\n'],
    ['SET k0 x XX', '$-1\r\n'],
    ['SET k0 x GET', '$-1\r\n'],
    ['GETDEL k0', '$-1\r\n'],
    ['RENAME k0 k', '-ERR no such key\r\n'],
    ['EXPIRE k0 10', ':0\r\n'],
    ['PERSIST k0', ':0\r\n'],
    ['MGET k0 stays', '*2\r\n$-1\r\n$1\r\nv\r\n'],
    ['KEYS *', '*1\r\n$5\r\nstays\r\n'],
    ['SCAN 0 COUNT 100000', '*2\r\n$1\r\n0\r\n*1\r\n$5\r\nstays\r\n'],
    ['DBSIZE', ':1\r\n'],
    ['MULTI\r\nDBSIZE\r\nEXEC', '+OK\r\n+QUEUED\r\n*1\r\n:1\r\n'],
  ])('is not there for %s', (line, answer) => {
    const guest = openKv()
    guest.ask(1, 'SET', 'stays', 'v')
    // More than one call erases, so that some are only passed over.
    fill(guest, 2000, 100)
    guest.nowMs += 101
    expect(guest.send(1, `${line}\r\n`)).toBe(answer)
  })

  test('does not keep its deadline for a key of the same name', () => {
    const guest = openKv()
    guest.ask(1, 'SET', 'k', 'v', 'PX', '100')
    guest.nowMs += 101
    guest.ask(1, 'SET', 'k', 'w', 'KEEPTTL')
    expect(guest.ask(1, 'TTL', 'k')).toBe(':-1\r\n')
  })
})

describe('memory', () => {
  test('comes back though nobody looks for the keys, in short calls', () => {
    const guest = openKv()
    guest.ask(1, 'SET', 'k', 'v', 'PX', '1')
    guest.nowMs += 2
    guest.ask(1, 'PING')
    const empty = usedBytes(guest)
    fill(guest, 200_000, 100)
    const full = usedBytes(guest)
    guest.nowMs += 101
    let calls = 0
    for (; usedBytes(guest) > empty + SPARE_BYTES && calls < 1000; calls++) {
      const began = performance.now()
      guest.ask(1, 'PING')
      expect(performance.now() - began).toBeLessThan(CALL_MS)
    }
    expect(full).toBeGreaterThan(empty + 200_000 * 24)
    expect(calls).toBeLessThan(1000)
  })

  test('of keys that live shortly is taken again as fast as they come', () => {
    const guest = openKv(256)
    for (let i = 0; i < 1_000_000; i += 1000) {
      const answer = guest.send(1, command('SET', `k${i}`, 'v', 'PX', '1'))
      if (answer !== '+OK\r\n') throw new Error(`after ${i} keys: ${answer}`)
      fill(guest, 1000, 1)
      guest.nowMs += 2
    }
    expect(guest.memory.buffer.byteLength).toBeLessThan(4 * 1024 * 1024)
  })

  test('that is full is there again as soon as the keys have expired', () => {
    const guest = openKv(64)
    let count = 0
    while (guest.ask(1, 'SET', `k${count}`, 'x'.repeat(20), 'PX', '100') !== OOM) count++
    expect(guest.ask(1, 'SET', 'large', 'x'.repeat(60_000))).toBe(OOM)
    guest.nowMs += 101
    expect(guest.ask(1, 'SET', 'large', 'x'.repeat(60_000))).toBe('+OK\r\n')
    expect(guest.ask(1, 'DBSIZE')).toBe(':1\r\n')
  })

  test('is not lost to a key whose deadline changes again and again', () => {
    const guest = openKv()
    guest.ask(1, 'SET', 'k', 'v', 'PX', '1000')
    const before = usedBytes(guest)
    for (let i = 0; i < 10_000; i++) {
      guest.send(
        1,
        'PEXPIRE k 5000\r\nPERSIST k\r\nSET k v EX 10\r\nSET k v\r\nSET k v PX 1000\r\n',
      )
    }
    expect(usedBytes(guest)).toBe(before)
    guest.ask(1, 'FLUSHALL')
    fill(guest, 20_000, 100)
    guest.ask(1, 'FLUSHALL')
    for (let i = 0; i < 1000; i++) guest.ask(1, 'PING')
    guest.nowMs += 1000
    expect(guest.ask(1, 'INFO')).not.toContain('db0')
  })
})

test('DBSIZE is exact, or refused, when very many have expired', () => {
  const guest = openKv(4096)
  fill(guest, 500_000, 100)
  guest.ask(1, 'SET', 'stays', 'v')
  guest.nowMs += 101
  const began = performance.now()
  expect(guest.ask(1, 'DBSIZE')).toBe(':1\r\n')
  guest.nowMs -= 101
  fill(guest, 500_000, 100)
  guest.nowMs += 101
  const again = guest.send(1, 'DBSIZE\r\n'.repeat(1000))
  expect(new Set(again.match(/.+/g))).toEqual(
    new Set([':1', '-ERR it would take too long: ask for less at a time']),
  )
  expect(performance.now() - began).toBeLessThan(CALL_MS)
})

describe.each([1, 2, 3])('with seed %i', (seed) => {
  test('thousands of deadlines that change pass in their order', () => {
    const chance = chanceFrom(seed)
    const guest = openKv()
    const deadlines = new Map<string, number>()
    for (let round = 0; round < 300; round++) {
      const lines: string[] = []
      for (let i = 0; i < 100; i++) {
        const key = `k${chance(3000)}`
        const ms = 1 + chance(5000)
        const how = chance(10)
        if (how === 0) lines.push(`DEL ${key}`)
        else if (how === 1) lines.push(`SET ${key} v`)
        else lines.push(`SET ${key} ${'v'.repeat(chance(50) + 1)} PX ${ms}`)
        deadlines.delete(key)
        if (how === 1) deadlines.set(key, Infinity)
        if (how > 1) deadlines.set(key, guest.nowMs + ms)
      }
      guest.send(1, `${lines.join('\r\n')}\r\n`)
      guest.nowMs += chance(200)
      for (const [key, deadline] of deadlines) if (deadline < guest.nowMs) deadlines.delete(key)
      expect(guest.ask(1, 'DBSIZE')).toBe(`:${deadlines.size}\r\n`)
    }
    const keys = [...deadlines.keys()].toSorted()
    expect([...guest.ask(1, 'KEYS', '*').matchAll(/k\d+/g)].map(([key]) => key).toSorted()).toEqual(
      keys,
    )
    for (const [key, deadline] of deadlines) {
      const left = deadline === Infinity ? -1 : deadline - guest.nowMs
      expect(guest.ask(1, 'PTTL', key)).toBe(`:${left}\r\n`)
    }
  })
})
