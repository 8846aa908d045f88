// Durations, sizes and injections as people write them.

import { describe, expect, it } from 'vitest'
import { formatTable } from '../../cli/table.ts'
import {
  parseCount,
  parseDuration,
  parseMs,
  parseSize,
  showBytes,
  showMs,
} from '../../cli/units.ts'
import { parseInjection } from '../../cli/up/injections.ts'

describe('durations', () => {
  it.each([
    ['100ms', 100],
    ['1s', 1000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '5', 's', '-1s', '1 s', '1e3s', 'soon'])('%j is none', (text) =>
    expect(() => parseDuration(text)).toThrow('is no duration'),
  )

  it('in milliseconds are positive numbers', () => {
    expect(parseMs('2.5')).toBe(2.5)
    for (const text of ['0', '-1', '1s', '']) expect(() => parseMs(text)).toThrow('milliseconds')
  })
})

describe('sizes', () => {
  it.each([
    ['64MiB', 64 * 1024 * 1024],
    ['512KiB', 512 * 1024],
    ['1GiB', 1024 ** 3],
    ['0.5MiB', 512 * 1024],
    ['65536', 65536],
    ['64mib', 64 * 1024 * 1024],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each(['', 'MiB', '64MB', '-1', '0.3B', '1e3'])('%j is none', (text) =>
    expect(() => parseSize(text)).toThrow('is no size'),
  )
})

describe('counts', () => {
  it('stay in their range', () => {
    expect(parseCount('8', 1, 10)).toBe(8)
    for (const text of ['0', '11', '1.5', 'x'])
      expect(() => parseCount(text, 1, 10)).toThrow('1 to 10')
  })
})

describe('injections', () => {
  it('name a role and a time', () => {
    const injection = { kind: 'kill', role: 'primary', atMs: 4000 }
    expect(parseInjection('kill', 'primary@4s')).toEqual(injection)
    expect(parseInjection('hang', 'secondary@500ms')).toMatchObject({ atMs: 500 })
  })
})

describe('what is shown', () => {
  it('has two digits that mean something', () => {
    expect([0.123, 12.34, 123.4].map(showMs)).toEqual(['0.12', '12.3', '123'])
    expect([12, 2048, 3 * 1024 ** 2].map(showBytes)).toEqual(['12 B', '2.0 KiB', '3.0 MiB'])
  })

  it('stands in columns, numbers to the right', () => {
    const table = formatTable(
      ['name', 'n'],
      [
        ['a', '1'],
        ['longer', '100'],
        ['b', '-'],
      ],
    )
    expect(table).toBe('name      n\na         1\nlonger  100\nb         -')
  })
})
