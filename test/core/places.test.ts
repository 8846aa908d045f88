// Who gets a place, and how many there are: strangers take places from each other only, and what the pair needs
// of the descriptors is kept free.

import { describe, expect, test } from 'vitest'
import { descriptorsMax, placesWith } from '../../daemon/descriptors.ts'
import { StrangerPlaces } from '../../network/stranger-places.ts'
import { refusedRequest } from '../../network/web-requests.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'

describe('places of strangers', () => {
  test('are taken from the oldest, and not within the grace unless there are too many', async () => {
    const places = new StrangerPlaces({ max: 2, burstMax: 4, graceMs: 20 })
    const evicted: number[] = []
    const enter = (number: number) => places.take(() => evicted.push(number))
    for (let i = 0; i < 4; i++) enter(i)
    expect(evicted).toEqual([])
    enter(4)
    expect(evicted).toEqual([0])
    await expect.poll(() => evicted).toEqual([0, 1, 2])
  })

  test('are kept by those who show the token, and by those who did something', async () => {
    const places = new StrangerPlaces({ max: 2, burstMax: 2, graceMs: 0 })
    const evicted: string[] = []
    const enter = (name: string) => places.take(() => evicted.push(name))
    const peer = enter('peer')
    const asks = enter('asks')
    peer.leave()
    enter('idle')
    asks.renew()
    enter('newer')
    expect(evicted).toEqual(['idle'])
    asks.leave()
    asks.renew()
    enter('newest')
    expect(evicted).toEqual(['idle'])
  })
})

describe('places by RLIMIT_NOFILE', () => {
  test.each([64, 128, 256, 1024, 4096, 65_536, Number.MAX_SAFE_INTEGER])(
    '%d descriptors leave some for the pair',
    (descriptors) => {
      const { clients, strangers, operators } = placesWith(descriptors)
      expect(clients).toBeGreaterThanOrEqual(8)
      expect(clients).toBeLessThanOrEqual(LIMITS.connectionsMax)
      if (descriptors >= 128) {
        expect(clients + 2 * strangers + operators + 48).toBeLessThanOrEqual(descriptors)
      }
    },
  )

  test('are read from the system', () => {
    expect(descriptorsMax()).toBeGreaterThan(0)
  })
})

describe('a request that may become a control connection', () => {
  const why = (headers: Record<string, string>) => refusedRequest({ headers }, ['pair.example'])

  test.each([
    '127.0.0.1',
    '127.0.0.1:7380',
    '10.1.2.3:1',
    '[::1]:7380',
    '[fe80::1]',
    'localhost',
    'LOCALHOST:7380',
    'pair.example:7380',
    'Pair.Example',
  ])('has Host %s', (host) => {
    expect(why({ host })).toBeUndefined()
  })

  test.each([
    '',
    'example',
    'rebound.example:7380',
    '127.0.0.1.example',
    'localhost.example',
    '::1',
    '[::1',
    '[localhost]x',
    '127.0.0.1:80:80',
    '127.0.0.1@evil.example',
  ])('does not have Host %j', (host) => {
    expect(why({ host })).toMatch(/--http-host/)
  })

  test('does not have an Origin, whatever it says', () => {
    expect(why({ host: '127.0.0.1', origin: 'http://127.0.0.1' })).toMatch(/web page/)
    expect(why({ host: '127.0.0.1', origin: '' })).toMatch(/web page/)
  })
})
