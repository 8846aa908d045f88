// The test guest misbehaves as it was told, and only then.
import { expect, test } from 'vitest'
import { Guest } from './host.ts'

const PAGE_BYTES = 4096

function openStress(maximumPages = 64): Guest {
  const guest = new Guest('stress', { maximumPages })
  guest.open(1)
  return guest
}

function changedPages(before: Uint8Array, after: Uint8Array): number[] {
  const changed: number[] = []
  for (let at = 0; at < after.length; at += PAGE_BYTES) {
    const old = Buffer.from(before.subarray(at, at + PAGE_BYTES))
    if (!old.equals(after.subarray(at, at + PAGE_BYTES))) changed.push(at / PAGE_BYTES)
  }
  return changed
}

test('answers a line at a time, however it is split', () => {
  const guest = openStress()
  expect(guest.send(1, 'count\ncou')).toBe('1\n')
  expect(guest.send(1, 'nt\r\nwhat\n')).toBe('2\nunknown\n')
  expect(guest.send(1, 'spin 1\n')).toBe('done\n')
})

test('grows up to the maximum', () => {
  const guest = openStress(10)
  expect(guest.send(1, 'grow 2\n')).toBe('6\n')
  expect(guest.send(1, 'grow 5\n')).toBe('-1\n')
  expect(guest.send(1, 'grow 0\n')).toBe('6\n')
  expect(guest.send(1, 'fill 400\n')).toBe('full\n')
})

test('fills a region, then dirties that share of it, other pages at each call', () => {
  const guest = openStress()
  const empty = guest.snapshot()
  expect(guest.send(1, 'fill 500\n')).toBe('ok\n')
  const filled = guest.snapshot()
  const padded = new Uint8Array(filled.length)
  padded.set(empty)
  expect(changedPages(padded, filled).length).toBeGreaterThanOrEqual(500)
  expect(guest.send(1, 'dirty 100\n')).toBe('50\n')
  const once = guest.snapshot()
  expect(guest.send(1, 'dirty 100\n')).toBe('50\n')
  const first = changedPages(filled, once)
  const second = changedPages(once, guest.snapshot())
  // Besides the 50 there are the pages of the input, the lines, the state and the answer.
  for (const pages of [first, second]) {
    expect(pages.length).toBeGreaterThanOrEqual(50)
    expect(pages.length).toBeLessThanOrEqual(56)
  }
  expect(first).not.toEqual(second)
})

test('dirties each page of a region when told all of it', () => {
  const guest = openStress()
  guest.send(1, 'fill 333\n')
  const filled = guest.snapshot()
  expect(guest.send(1, 'dirty 1000\n')).toBe('333\n')
  expect(changedPages(filled, guest.snapshot()).length).toBeGreaterThanOrEqual(333)
})

test('floods with exactly as many bytes as asked', () => {
  const guest = openStress()
  for (const size of [1, 65536, 65537, 200_000]) {
    const text = guest.send(1, `flood ${size}\n`)
    expect(text.length).toBe(size)
    expect(text.indexOf('\n')).toBe(size - 1)
  }
})

test('traps, and asks to close', () => {
  const guest = openStress()
  expect(guest.send(1, 'close\ncount\n')).toBe('')
  expect(guest.closed).toEqual([1])
  guest.open(1)
  expect(() => guest.send(1, 'trap\n')).toThrow(/unreachable/)
})

test('has room for 64 connections, and again when they have closed', () => {
  const guest = openStress()
  for (let conn = 2; conn <= 65; conn++) guest.open(conn)
  expect(guest.closed).toEqual([65])
  guest.close(3)
  guest.open(66)
  expect(guest.send(66, 'count\n')).toBe('1\n')
})
