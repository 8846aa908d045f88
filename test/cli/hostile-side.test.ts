// A side may be anybody's: what it says would steer the terminal that it is printed on, and is shown instead.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { STAGE_NAMES } from '../../shared/protocol/rows.ts'
import { Running } from './command.ts'

const HOSTILE = 'x\u001b[2J\u009b31m\ny'

const CHECKPOINT = {
  ...{ trigger: HOSTILE, outcome: HOSTILE, epoch: HOSTILE, generation: 1, pause: 1, find: 1 },
  ...{ cycle: 1, pages: 1, bytes: 1, held: 1 },
  stages: Object.fromEntries(STAGE_NAMES.map((name) => [name, 1])),
}
const FAILOVER = {
  ...{ role: HOSTILE, reason: HOSTILE, detail: HOSTILE, generation: 1 },
  ...{ detectedMs: 1, claimedMs: 1, servingMs: 1 },
}

let server: WebSocketServer
let at: string
let folder: string
let refuses = false
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colo-hostile-'))
  writeFileSync(join(folder, 'token'), 'f'.repeat(48), { mode: 0o600 })
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  at = `127.0.0.1:${(server.address() as AddressInfo).port}`
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { type, id } = JSON.parse(data.toString()) as { type: string; id: number }
      if (type !== 'verb') return
      const rows = { checkpoints: [CHECKPOINT], failovers: [FAILOVER] }
      const answer = { type: 'answer', id, ok: !refuses, code: 'not-now', detail: HOSTILE, ...rows }
      socket.send(JSON.stringify(answer))
    })
  })
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

const WAYS = [['history'], ['history', '-f', 'json'], ['failover'], ['stop']]

it.each(WAYS.flatMap((way) => [false, true].map((refused) => ({ way, refused }))))(
  '$way, refused: $refused',
  async ({ way, refused }) => {
    refuses = refused
    const token = ['--token-file', join(folder, 'token')]
    const { stdout, stderr } = await new Running([...way, '--at', at, ...token]).ended
    const said = stdout + stderr
    if (way[0] !== 'stop' || refused) expect(said).toMatch(/x\\u001b\[2J\\u009b31m|x\\\\u001b/)
    for (const control of ['\u001b', '\u009b']) expect(said).not.toContain(control)
  },
)
