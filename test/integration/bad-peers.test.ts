// A caller on one of the ports that does not belong there, or does not speak the protocol, gets an answer
// that says why, and the pair stays protected. A welcomed secondary that misbehaves ends its own session only.

import { PROTOCOL_VERSION } from '../../shared/protocol/words.ts'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  peerMessageSchema,
  type PeerMessage,
  type Welcome,
} from '../../shared/protocol/control-messages.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { tokenLine } from '../../shared/protocol/words.ts'
import { freePort, Pair, startDaemon, until } from './pair.ts'

const HELLO_TIMEOUT_MS = 300

let pair: Pair
beforeAll(async () => {
  pair = await Pair.protected({ delays: { helloTimeoutMs: HELLO_TIMEOUT_MS } })
})
afterAll(async () => {
  await pair.dispose()
})

async function stillProtected(): Promise<void> {
  expect((await pair.status('a')).state).toBe('protected')
  expect((await pair.status('b')).state).toBe('protected')
  expect((await pair.status('a')).session).toBe(1)
}

/** Says `first` on a control channel and returns what is answered until it is closed. */
async function knock(port: number, first: string | Uint8Array): Promise<PeerMessage[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  const answers: PeerMessage[] = []
  socket.on('error', () => {})
  socket.on('message', (data: Buffer) => {
    answers.push(peerMessageSchema.parse(JSON.parse(data.toString())))
  })
  await once(socket, 'open')
  const closed = once(socket, 'close')
  if (first.length > 0) socket.send(first)
  await closed
  return answers
}

async function hello(change: Record<string, unknown>): Promise<string> {
  const { guest, pair: name, generation } = await pair.status('a')
  const { digest, memoryBytes } = guest
  return JSON.stringify({
    type: 'hello',
    from: 'peer',
    version: PROTOCOL_VERSION,
    pair: name,
    token: pair.token(),
    name: 'stranger',
    incarnation: 'f'.repeat(32),
    generation,
    epoch: 0,
    guest: { name: guest.name, digest, memoryBytes },
    ...change,
  })
}

describe('the control channel refuses', () => {
  it.each([
    ['a wrong token', { token: 'x'.repeat(48) }, 'wrong-token'],
    ['no token', { token: undefined }, 'wrong-token'],
    ['another pair', { pair: 'another' }, 'wrong-pair'],
    ['another major version', { version: { major: 2, minor: 0 } }, 'wrong-version'],
    ['a version before this one', { version: { major: 1, minor: 0 } }, 'wrong-version'],
    [
      'another guest',
      { guest: { name: 'kv', digest: 'ff', memoryBytes: 16 << 20 } },
      'wrong-guest',
    ],
    ['a second secondary', {}, 'already-paired'],
    ['a message without its fields', { incarnation: 'nobody' }, 'bad-message'],
    ['an unknown kind of caller', { from: 'stranger' }, 'bad-message'],
  ])('%s', async (_, change, code) => {
    const [answer] = await knock(pair.control.a, await hello(change))
    expect(answer).toMatchObject({ type: 'refused', code })
    expect(answer?.type === 'refused' && answer.reason.length).toBeGreaterThan(3)
    await stillProtected()
  })

  it('another memory size', async () => {
    const { guest } = await pair.status('a')
    const [answer] = await knock(
      pair.control.a,
      await hello({ guest: { ...guest, digest: 'ff', memoryBytes: guest.memoryBytes * 2 } }),
    )
    expect(answer).toMatchObject({ type: 'refused', code: 'wrong-memory' })
    await stillProtected()
  })

  it('a peer at the secondary', async () => {
    const [answer] = await knock(pair.control.b, await hello({}))
    expect(answer).toMatchObject({ type: 'refused', code: 'not-primary' })
    await stillProtected()
  })

  it.each([
    ['garbage', 'no json at all', 'bad-message'],
    ['bytes', new Uint8Array([1, 2, 3]), 'bad-message'],
    ['silence', '', 'bad-message'],
  ])('%s', async (_, said, code) => {
    const [answer] = await knock(pair.control.a, said)
    expect(answer).toMatchObject({ type: 'refused', code })
    await stillProtected()
  })

  it('a message that is too long', async () => {
    expect(await knock(pair.control.a, 'x'.repeat(LIMITS.controlMessageBytesMax + 1))).toEqual([])
    await stillProtected()
  })

  it('a verb without the token, or with a wrong one', async () => {
    const operator = await pair.client('a')
    await expect(operator.ask('failover')).rejects.toThrow(/wrong-token.*needs the token/)
    await expect(operator.ask('stop', { token: 'guess' })).rejects.toThrow(/wrong-token/)
    await stillProtected()
  })
})

/** Writes to the data port and waits until it is closed. */
async function pour(port: number, bytes: string | Uint8Array): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.resume()
  const closed = once(socket, 'close')
  if (bytes.length > 0) socket.write(bytes)
  await closed
}

describe('the data channel closes', () => {
  it.each([
    ['on garbage', 'GET / HTTP/1.1\r\n\r\n', /no token line of this protocol/],
    ['on a wrong token', tokenLine('0'.repeat(32)), /the token is of no session/],
    ['on another version', 'colo-pair 9 abc\n', /protocol version 9/],
    ['on an endless first line', 'x'.repeat(1000), /the token line is too long/],
    ['on silence (a slow loris)', '', /no token line in time/],
    ['on a line that never ends', 'colo-pair 1 ', /no token line in time/],
  ])('%s', async (_, bytes, why) => {
    await pour(pair.data.a, bytes)
    await until('the log to say why', () => why.test(pair.log('a')))
    await stillProtected()
  })
})

describe('a primary without a secondary', () => {
  it('ends the session of a secondary that sends nonsense, says why, and takes the next one', async () => {
    const alone = await Pair.protected({ delays: { helloTimeoutMs: HELLO_TIMEOUT_MS } })
    try {
      await alone.signal('b', 'SIGKILL')
      await alone.until('a', 'standalone')
      const oversized = new Uint8Array(8)
      new DataView(oversized.buffer).setUint32(0, 0x5, true)
      new DataView(oversized.buffer).setUint32(4, 0x7fff_fff8, true)
      for (const [what, bytes, why] of [
        ['garbage', new Uint8Array(64).fill(0x6e), /unknown-record/],
        ['an oversized record', oversized, /too-long|bad-length/],
        ['nothing', undefined, /helloTimeoutMs|no token|connection-lost|heartbeat-lost/],
      ] as const) {
        const welcome = await join(alone)
        if (bytes === undefined) {
          await until('the primary to give up', () => why.test(alone.log('a')))
        } else {
          const [, port] = welcome.dataAddress.split(':')
          await pour(Number(port), concat(tokenLine(welcome.dataToken), bytes))
          await until(`the log to say why (${what})`, () => why.test(alone.log('a')))
        }
        await alone.until('a', 'standalone')
      }
      await alone.launch('b', 'secondary')
      await alone.until('a', 'protected')
    } finally {
      await alone.dispose()
    }
  })

  async function join(alone: Pair): Promise<Welcome> {
    const { guest, generation } = await alone.status('a')
    const said = JSON.parse(await hello({ generation, token: alone.token() })) as object
    return until('a welcome', async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${alone.control.a}`)
      socket.on('error', () => {})
      await once(socket, 'open')
      const answered = once(socket, 'message') as Promise<[Buffer]>
      socket.send(JSON.stringify({ ...said, guest }))
      const message = peerMessageSchema.parse(JSON.parse((await answered)[0].toString()))
      if (message.type === 'welcome') return message
      socket.terminate()
      return undefined
    })
  }

  function concat(line: string, bytes: Uint8Array): Uint8Array {
    return new Uint8Array([...new TextEncoder().encode(line), ...bytes])
  }
})

describe('a peer that has seen less, or more, than the owner', () => {
  it.each([-1, 5])(
    'by %d is welcomed: it holds nothing, and is handed the register',
    async (by) => {
      const alone = await Pair.protected()
      try {
        await alone.signal('b', 'SIGKILL')
        await alone.until('a', 'standalone')
        const { generation, guest } = await alone.status('a')
        const said = JSON.parse(await hello({ token: alone.token() })) as object
        const [answer] = await knock(
          alone.control.a,
          JSON.stringify({ ...said, guest, generation: generation + by }),
        )
        expect(answer).toMatchObject({ type: 'welcome', register: { generation } })
        await alone.until('a', 'standalone')
        expect((await alone.status('a')).generation).toBe(generation)
      } finally {
        await alone.dispose()
      }
    },
  )
})

describe('a second daemon', () => {
  it('of the same pair is refused while the pair has its secondary', async () => {
    const config = pair.config('b', 'secondary', {
      name: 'c',
      control: `127.0.0.1:${await freePort()}`,
      clients: '127.0.0.1:0',
      data: '127.0.0.1:0',
      log: `${pair.dir}/c.log`,
    })
    const { child } = await startDaemon(config)
    await until('it to be told why', () => {
      return pair.log('a').length > 0 && readLog(`${pair.dir}/c.log`).includes('already-paired')
    })
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
    await stillProtected()
  })
})

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
