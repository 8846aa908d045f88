// Those who do not hold the token can take places, time and lines of the log from each other, and never from
// the pair: the peer gets in, operators are answered, and nobody is suspected.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { OperatorClient } from '../../network/control-client.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { redis } from './clients.ts'
import { isLong } from '../long-tests.ts'
import { Pair, until, type PairOptions } from './pair.ts'
import { connectTo, crowdAt, idleOperator, knockAt, OPERATOR_HELLO } from './strangers.ts'

let started: Pair | undefined
let ends: (() => void)[] = []
afterEach(async () => {
  for (const end of ends) end()
  ends = []
  await started?.dispose()
  started = undefined
})

async function start(options: PairOptions = {}): Promise<Pair> {
  started = await Pair.protected(options)
  return started
}

const keep = <T extends Socket | WebSocket>(socket: T): T => {
  ends.push(() => ('terminate' in socket ? socket.terminate() : socket.destroy()))
  return socket
}

const closed = async (socket: Socket | WebSocket) =>
  new Promise((resolve) => {
    socket.once('close', resolve)
  })

/** The secondary dies and comes back: its peer must get in at both ports. */
async function rejoins(pair: Pair): Promise<void> {
  await pair.signal('b', 'SIGKILL')
  await pair.until('a', 'standalone')
  await pair.launch('b', 'secondary')
  await pair.until('a', 'protected')
}

function failovers(pair: Pair): number {
  return (pair.log('a') + pair.log('b')).split('"msg":"failover"').length - 1
}

describe('the peer gets in, and operators are answered,', () => {
  it('while idle operators without the token have all their places', async () => {
    const pair = await start()
    for (let i = 0; i < 2 * LIMITS.controlConnectionsMax; i++) {
      keep(await idleOperator(pair.control.a))
    }
    await rejoins(pair)
    const fresh = await OperatorClient.connect(`127.0.0.1:${pair.control.a}`)
    expect((await fresh.status()).state).toBe('protected')
    fresh.close()
  })

  it('while connections without a request crowd at the control port', async () => {
    const pair = await start()
    for (let i = 0; i < 4 * LIMITS.strangersBurstMax; i++) {
      keep(await connectTo(pair.control.a, 'GET / HTTP/1.1\r\nHost: x\r\nX-'))
    }
    ends.push(crowdAt(pair.control.a, 100))
    await rejoins(pair)
  })

  it('while connections crowd at the data port', async () => {
    const pair = await start()
    ends.push(crowdAt(pair.data.a, 400))
    await rejoins(pair)
  })
})

describe('the control port', () => {
  it('refuses web pages, and names that it was not told', async () => {
    const pair = await start()
    const status = async (headers: Record<string, string>) => {
      const socket = await knockAt(pair.control.a, headers).catch((error: Error) => error.message)
      if (typeof socket === 'string') return socket
      socket.terminate()
      return 'open'
    }
    const refused = 'Unexpected server response: 403'
    expect(await status({ Origin: 'http://127.0.0.1' })).toBe(refused)
    expect(await status({ Origin: 'null' })).toBe(refused)
    expect(await status({ Host: 'rebound.example:7380' })).toBe(refused)
    expect(await status({ Host: '127.0.0.1.example' })).toBe(refused)
    expect(await status({ Host: 'localhost:1' })).toBe('open')
    expect(await status({ Host: '[::1]:7380' })).toBe('open')
    await until('the log to say why', () => /no address: allow the name/.test(pair.log('a')))
  })

  it('takes a name that it was told', async () => {
    const pair = await Pair.start()
    started = pair
    await pair.signal('b', 'SIGKILL')
    await pair.launch('b', 'secondary', { httpHosts: ['Pair.Example'] })
    const socket = await knockAt(pair.control.b, { Host: 'pair.example:7381' })
    socket.terminate()
  })

  it('is dialled by the address, whatever name was given for it', async () => {
    const hosts: (string | undefined)[] = []
    const server = createServer()
    server.on('upgrade', ({ headers }, socket) => {
      hosts.push(headers.host)
      socket.destroy()
    })
    server.listen(0)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await expect(OperatorClient.connect(`localhost:${port}`)).rejects.toThrow(/socket hang up/)
    server.close()
    expect(hosts).toHaveLength(1)
    expect(hosts[0]).toMatch(
      new RegExp(`^(127\\.0\\.0\\.1|\\[::1\\]|\\[::ffff:127\\.0\\.0\\.1\\]):${port}$`),
    )
  })

  it('closes a connection that asks nothing, and one that does not answer a ping', async () => {
    const delays = { operatorIdleMs: 300, operatorPingMs: 100 }
    const pair = await start({ delays })
    const idle = keep(await idleOperator(pair.control.a))
    await once(idle, 'close')
    const watcher = keep(await idleOperator(pair.control.a))
    watcher.send(JSON.stringify({ type: 'verb', id: 1, verb: 'watch' }))
    await once(watcher, 'message')
    let pings = 0
    watcher.on('ping', () => pings++)
    await until('a watcher to be asked more often than an idle one lives', () => pings > 6)
    expect(watcher.readyState).toBe(WebSocket.OPEN)
    const deaf = new WebSocket(`ws://127.0.0.1:${pair.control.a}`, { autoPong: false })
    keep(deaf)
    await once(deaf, 'open')
    deaf.send(OPERATOR_HELLO)
    deaf.send(JSON.stringify({ type: 'verb', id: 1, verb: 'watch' }))
    await once(deaf, 'close')
  })
})

describe('nobody is suspected, and clients are answered,', () => {
  it('when strangers ask for digests of the memory', async () => {
    const pair = await start({ memoryMiB: 256 })
    for (let i = 0; i < 4; i++) {
      const socket = keep(await idleOperator(pair.control.a))
      for (let id = 1; id <= 25; id++) {
        const asked = id % 2 ? { rows: 1 } : { digest: true }
        socket.send(JSON.stringify({ type: 'verb', id, verb: 'status', ...asked }))
      }
      const answers: { status?: { guest: { memoryDigest?: string } }; code?: string }[] = []
      socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString()) as never))
      await until('all answers', () => answers.length === 25)
      expect(answers.some(({ status }) => status?.guest.memoryDigest !== undefined)).toBe(false)
      expect(answers.filter(({ code }) => code === 'wrong-token')).toHaveLength(12)
    }
    expect(failovers(pair)).toBe(0)
  })

  it('when operators with the token ask for many at once: they share them', async () => {
    const pair = await start({ memoryMiB: 512 })
    await (await pair.client('a')).ask('pause', { token: pair.token() })
    const token = pair.token()
    const asked = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const client = await OperatorClient.connect(`127.0.0.1:${pair.control.a}`)
        const { guest } = await client.status(token)
        client.close()
        return guest.memoryDigest
      }),
    )
    expect(new Set(asked).size).toBe(1)
    expect(asked[0]).toMatch(/^[0-9a-f]{16}$/)
    expect(failovers(pair)).toBe(0)
  })

  it.runIf(isLong)('when messages come in endless small fragments, or pings', async () => {
    const pair = await start()
    const client = await redis(pair.clients.a)
    const fragment = Buffer.from([0x00, 0x81, 0, 0, 0, 0, 0x61])
    const begin = Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x61])
    const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
    const floods = [
      Buffer.concat([begin, ...Array<Buffer>(10_000).fill(fragment)]),
      Buffer.concat(Array<Buffer>(10_000).fill(ping)),
    ]
    const flooding = { isOver: false }
    ends.push(() => (flooding.isOver = true))
    const flood = async (bytes: Buffer, first: string) => {
      while (!flooding.isOver) {
        const tcp = await connectTo(pair.control.a, UPGRADE)
        if (first !== '') tcp.write(textFrame(first))
        const timer = setInterval(() => {
          if (tcp.writableLength < bytes.length) tcp.write(bytes)
        }, 2)
        tcp.resume()
        const end = setTimeout(() => tcp.destroy(), 500)
        await closed(tcp)
        clearTimeout(end)
        clearInterval(timer)
      }
    }
    const running = Array.from({ length: 32 }, async (_, i) =>
      flood(floods[i % 2], i % 4 < 2 ? OPERATOR_HELLO : ''),
    )
    for (let i = 1; i <= 300; i++) expect(await client.incr('n')).toBe(i)
    flooding.isOver = true
    await Promise.all(running)
    expect(failovers(pair)).toBe(0)
    client.disconnect()
  })
})

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n')

function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

describe('an operator that does not read', () => {
  it('is asked no memory for, and of many events it gets the last', async () => {
    const pair = await start()
    const client = await redis(pair.clients.a)
    for (let i = 0; i < 500; i++) await client.incr('n')
    const before = (await pair.status('a')).rssBytes
    const rude = keep(await idleOperator(pair.control.a))
    rude.pause()
    for (let id = 1; id <= 20_000; id++) {
      rude.send(JSON.stringify({ type: 'verb', id, verb: 'history', rows: 1024 }))
      if (id % 1000 === 0) await client.incr('n')
    }
    const { rssBytes } = await pair.status('a')
    expect(rssBytes - before).toBeLessThan(150 << 20)
    client.disconnect()
  })
})

describe('a thousand strangers', () => {
  it('are told of in few lines', async () => {
    const pair = await start()
    const size = () => statSync(join(pair.dir, 'a.log')).size
    const before = size()
    const { guest } = await pair.status('a')
    for (let i = 0; i < 500; i++) {
      const data = await connectTo(pair.data.a, 'x\n')
      const refused = closed(data)
      data.resume().end()
      const control = await knockAt(pair.control.a)
      control.send(i % 2 ? 'x' : peerHello(guest))
      await Promise.all([refused, closed(control)])
      data.destroy()
    }
    await until('one line to count the others', () => / more in 10 s/.test(pair.log('a')))
    expect(size() - before).toBeLessThan(50_000)
    expect((await pair.status('a')).state).toBe('protected')
  })
})

/** Of a peer that has no token. */
function peerHello(guest: { name: string; digest: string; memoryBytes: number }): string {
  const { name, digest, memoryBytes } = guest
  return JSON.stringify({
    ...{ type: 'hello', from: 'peer', version: { major: 1, minor: 0 }, pair: 'test' },
    ...{ name: 'stranger', incarnation: 'f'.repeat(32), generation: 1, epoch: 0 },
    guest: { name, digest, memoryBytes },
  })
}
