// Each daemon has 512 MiB and no more. Clients that never read, and answers much larger than their questions, cost
// their own connections: both daemons live, nobody is suspected, and other clients are served.

import { afterEach, describe, expect, it } from 'vitest'
import type { Socket } from 'node:net'
import { redis } from './clients.ts'
import { MemoryCgroup } from './memory-cgroup.ts'
import { Pair } from './pair.ts'
import { connectTo } from './strangers.ts'

const MEMORY = 512 << 20
const CLIENTS = 24
const VALUE_BYTES = 500_000

const probe = MemoryCgroup.make('probe', MEMORY)
probe?.remove()

let pair: Pair | undefined
let sockets: Socket[] = []
let groups: MemoryCgroup[] = []
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await pair?.dispose()
  for (const group of groups) group.remove()
  pair = undefined
  sockets = []
  groups = []
})

const BOMBS: Readonly<Record<string, string>> = {
  'clients that never read': 'GET big\r\n'.repeat(200),
  'answers of one call': `MGET${' big'.repeat(60)}\r\n`,
  'clients that quit': `${'GET big\r\n'.repeat(100)}QUIT\r\n`,
  'small answers without end': 'PING\r\n'.repeat(400_000),
}

describe.skipIf(probe === undefined)('with 512 MiB each (needs root and a memory cgroup)', () => {
  it.each(Object.keys(BOMBS))('%s', async (bomb) => {
    const [a, b] = ['a', 'b'].map((name) => MemoryCgroup.make(name, MEMORY))
    if (a === undefined || b === undefined) throw new Error('no memory cgroup')
    groups = [a, b]
    pair = await Pair.protected({
      memoryMiB: 64,
      // The load of this machine is not what is tested.
      delays: { suspectMs: 1500 },
      prefix: { a: a.prefix, b: b.prefix },
    })
    const client = await redis(pair.clients.a)
    await client.set('big', 'x'.repeat(VALUE_BYTES))
    for (let i = 1; i <= 2 * CLIENTS; i++) {
      const socket = await connectTo(pair.clients.a)
      socket.pause()
      sockets.push(socket)
      socket.write(BOMBS[bomb] ?? '')
      expect(await client.incr('n')).toBe(i)
    }
    for (let i = 1; i <= 200; i++) expect(await client.incr('n')).toBe(2 * CLIENTS + i)
    for (const name of ['a', 'b'] as const) {
      expect((await pair.status(name)).state).toBe('protected')
      expect(pair.log(name)).not.toMatch(/"msg":"failover"/)
    }
    expect([a.kills, b.kills]).toEqual([0, 0])
    client.disconnect()
  })
})
