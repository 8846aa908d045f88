// Durations, sizes and injections as people write them.

import { describe, expect, it } from 'vitest'
import { pageSize } from '../../terminal/numbers.ts'
import { formatTable } from '../../terminal/table.ts'
import {
  parseCount,
  parseDuration,
  parseMs,
  parseSize,
  showBytes,
  showMs,
} from '../../terminal/units.ts'
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

  it.each(['5', '5sec', '2S', '1d'])('%j is answered with the accepted forms', (text) =>
    expect(() => parseDuration(text)).toThrow(
      `${JSON.stringify(text)} is no duration: write 500ms, 1.5s, 2m or 1h`,
    ),
  )

  it.each([
    ['400', 400],
    ['2.5', 2.5],
    ['400ms', 400],
    ['0.4s', 400],
    ['1m', 60_000],
  ])('of an option in -ms: %s is %d ms', (text, ms) => expect(parseMs(text)).toBe(ms))

  it('of an option in -ms are positive', () => {
    for (const text of ['-1', '', 'soon', '1d']) {
      expect(() => parseMs(text)).toThrow('1h, or 400 for milliseconds')
    }
    for (const text of ['0', '0s']) expect(() => parseMs(text)).toThrow('no duration above 0')
  })

  it('are no longer than a timer can be', () => {
    expect(parseDuration('596h')).toBe(596 * 3_600_000)
    for (const text of ['597h', '99999999999s']) {
      expect(() => parseDuration(text)).toThrow('is too long: a duration is at most 596h')
    }
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
    ['64 MiB', 64 * 1024 * 1024],
    // As QEMU writes them ...
    ['64M', 64 * 1024 * 1024],
    ['1G', 1024 ** 3],
    ['1.5G', 1.5 * 1024 ** 3],
    ['64K', 64 * 1024],
    ['1T', 1024 ** 4],
    ['65536B', 65536],
    // ... and Docker.
    ['64k', 64 * 1024],
    ['512m', 512 * 1024 * 1024],
    ['512MB', 512 * 1024 * 1024],
    ['64kb', 64 * 1024],
    ['1gb', 1024 ** 3],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each(['', 'MiB', '64iB', '64X', '64MiBs', '-1', '0.3B', '1e3', '9P'])('%j is none', (text) =>
    expect(() => parseSize(text)).toThrow(
      'is no size: write 64M, 64MiB, 512k or 1G (powers of 1024), or bytes',
    ),
  )

  it.each([
    ['4096', 4096],
    ['0x1000', 4096],
    ['4k', 4096],
    ['64KiB', 65536],
  ])('of a page: %s is %d bytes', (text, bytes) => expect(pageSize(text)).toBe(bytes))

  it.each(['5000', '512', '128k', '0x11'])('%j is no size of a page', (text) =>
    expect(() => pageSize(text)).toThrow('a power of 2 from 1024 to 65536 bytes: write 4096 or 4k'),
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
