// The check of lost writes, against a service that loses some: a check that cannot fail proves nothing.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ledger, Load } from '../../cli/load.ts'
import { parseReply, RespError } from '../../cli/resp-client.ts'
import { until } from '../integration/pair.ts'
import { ForgetfulServer } from './forgetful-server.ts'

describe('the ledger', () => {
  it('counts every acknowledged write that is not there', () => {
    const ledger = new Ledger()
    for (const n of [1, 65, 129, 2]) ledger.setAnswered(n)
    ledger.slotFound(1, 1)
    expect(ledger).toMatchObject({ acknowledged: 4, lost: 2 })
    ledger.slotFound(2, undefined)
    expect(ledger.lost).toBe(3)
    ledger.slotFound(1, 1)
    ledger.slotFound(2, undefined)
    expect(ledger.lost).toBe(3)
  })

  it('takes a newer value as good, and what another key holds as nothing', () => {
    const ledger = new Ledger()
    ledger.setAnswered(1)
    ledger.slotFound(1, 65)
    expect(ledger.lost).toBe(0)
    ledger.slotFound(1, 66)
    expect(ledger.lost).toBe(1)
  })

  it('misses no write that was never acknowledged', () => {
    const ledger = new Ledger()
    ledger.setAnswered(1)
    ledger.setSent(65)
    ledger.setAnswered(129)
    ledger.slotFound(1, 1)
    expect(ledger.lost).toBe(1)
  })

  it('sees a count that went back, at the next INCR or when it is read', () => {
    const ledger = new Ledger()
    for (const count of [1, 2, 3, 3]) ledger.incrAnswered(count)
    expect(ledger.lost).toBe(1)
    ledger.countFound(1)
    expect(ledger.lost).toBe(3)
    ledger.countFound(7)
    expect(ledger.lost).toBe(3)
  })
})

describe('RESP replies', () => {
  it.each([
    ['+OK\r\n', 'OK', 5],
    [':-3\r\n', -3, 5],
    ['$-1\r\n', null, 5],
    ['$2\r\nhi\r\n+more', 'hi', 8],
    ['-ERR no\r\n', new RespError('ERR no'), 9],
  ])('%j', (text, reply, length) =>
    expect(parseReply(Buffer.from(text))).toEqual({ reply, length }),
  )

  it.each(['', '+OK', '$5\r\nhi', '$2\r\nhi\r'])('%j is not whole', (text) =>
    expect(parseReply(Buffer.from(text))).toBeUndefined(),
  )

  it.each(['HTTP/1.1 400\r\n', ':x\r\n', '$-2\r\n', '*1\r\n'])('%j is none', (text) =>
    expect(() => parseReply(Buffer.from(text))).toThrow('is no RESP reply'),
  )
})

describe('a load', () => {
  let server: ForgetfulServer
  let load: Load
  beforeEach(async () => {
    server = await ForgetfulServer.listen()
    load = new Load(3, [server.address, server.address])
  })
  afterEach(() => server.close())

  const written = async (more: number) => {
    const { acknowledged } = load.writes
    await until('more writes', () => load.writes.acknowledged > acknowledged + more)
  }

  it('loses nothing on a service that keeps everything, whatever happens to connections', async () => {
    await load.start(2000)
    await written(300)
    server.cut()
    await written(300)
    expect(await load.finish(2000)).toBe(true)
    expect(load.writes.lost).toBe(0)
    expect(load.writes.acknowledged).toBeGreaterThan(600)
  })

  it('finds what a service forgot when it lost its connections', async () => {
    await load.start(2000)
    await written(200)
    const older = server.copy()
    await written(30)
    server.becomeAgain(older)
    await written(30)
    await load.finish(2000)
    expect(load.writes.lost).toBeGreaterThan(0)
    expect(load.writes.lost).toBeLessThan(load.writes.acknowledged)
  })

  it('finds at the end what was forgotten in silence', async () => {
    await load.start(2000)
    await written(200)
    for (const key of server.store.keys()) {
      if (key.startsWith('load:0:')) server.store.delete(key)
    }
    await load.finish(2000)
    expect(load.writes.lost).toBeGreaterThan(0)
  })

  it('says that nobody serves any more, and counts everything as lost where nobody holds it', async () => {
    await load.start(2000)
    await written(100)
    server.close()
    expect(await load.finish(100)).toBe(false)
    load.allGone()
    expect(load.writes.lost).toBe(load.writes.acknowledged)
  })

  it('does not count an error as acknowledged', async () => {
    await load.start(2000)
    await written(10)
    const before = load.writes.acknowledged
    server.answer = '-OOM no room\r\n'
    const { commands } = server
    await until('errors', () => server.commands > commands + 50)
    // At most the reply that was under way on each connection.
    expect(load.writes.acknowledged).toBeLessThanOrEqual(before + 3 + 3)
    expect(load.failure).toContain('-OOM no room')
    server.answer = undefined
    await load.finish(2000)
    expect(load.writes.lost).toBe(0)
  })

  it('refuses a service that does not speak RESP', async () => {
    server.answer = 'what do you want?\r\n'
    await expect(load.start(2000)).rejects.toThrow('--load needs a guest that speaks RESP')
    server.answer = '-ERR unknown\r\n'
    await expect(load.start(2000)).rejects.toThrow('-ERR unknown')
  })
})
