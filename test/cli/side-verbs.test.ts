// What `colo adopt` and `colo start-over` say to a side, and what they show while it takes its time. The side is
// the real control server, with handlers behind it that note what it hears.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { ControlServer } from '../../network/control-server.ts'
import type { VerbMessage } from '../../shared/protocol/control-messages.ts'
import { inside } from './command.ts'

const ANSWER_AFTER_MS = 2500

let folder = ''
let server: ControlServer
let heard: VerbMessage[] = []
let answerAfterMs = 0

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colo-verbs-'))
  writeFileSync(join(folder, 'token'), 'a token of the pair\n')
  heard = []
  answerAfterMs = 0
  server = await ControlServer.listen({
    address: '127.0.0.1:0',
    delays: delaysWith(),
    strangersMax: 8,
    operatorsMax: 8,
    httpHosts: [],
    holdsToken: () => true,
    acceptPeer: () => undefined,
    acceptOperator: () => ({
      verb: async (message) => {
        heard.push(message)
        await delay(answerAfterMs)
        return { type: 'answer', id: message.id, ok: true, detail: 'written' }
      },
      closed: () => {},
    }),
    refused: () => {},
  })
})

afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

const verb = async (...args: string[]) =>
  inside(...args, '--at', server.address, '--token-file', join(folder, 'token'))

describe('colo adopt', () => {
  it('says the generation, and that the peer is dead only if somebody said so', async () => {
    const { code, stdout } = await verb('adopt', '--generation', '7')
    expect([code, stdout]).toEqual([0, `${server.address}: written\n`])
    await verb('adopt', '--generation', '8', '--peer-is-dead')
    expect(heard).toMatchObject([
      { verb: 'adopt', generation: 7, peerIsDead: false },
      { verb: 'adopt', generation: 8, peerIsDead: true },
    ])
  })

  it('waits longer than other verbs do, and says so each second', async () => {
    answerAfterMs = ANSWER_AFTER_MS
    const { code, stderr } = await verb('adopt', '--generation', '7')
    expect(code).toBe(0)
    expect(stderr).toMatch(/: waiting until the register .*, 1 s of at most 12 s\n/)
    expect(stderr).toMatch(/, 2 s of at most 12 s\n/)
  })

  it('needs the generation', async () => {
    expect(await verb('adopt')).toMatchObject({ code: 2 })
    expect(heard).toEqual([])
  })
})

describe('colo start-over', () => {
  it('says what the operator has seen', async () => {
    await verb('start-over', '--generation', '7', '--owner', '3F2a')
    const more = ['--owner-is-dead', '--forget-generation', '9']
    await verb('start-over', '--generation', '0', '--owner', 'none', ...more)
    expect(heard).toMatchObject([
      { verb: 'start-over', generation: 7, owner: '3f2a', ownerIsDead: false },
      { verb: 'start-over', generation: 0, ownerIsDead: true, forgetGeneration: 9 },
    ])
    expect(heard[1]).not.toHaveProperty('owner')
    expect(heard[0]).not.toHaveProperty('forgetGeneration')
  })

  it.each(['3f2', 'xyzw', 'a'.repeat(33), ''])('refuses the owner %j', async (owner) => {
    const { code, stderr } = await verb('start-over', '--generation', '7', '--owner', owner)
    expect([code, stderr]).toEqual([2, expect.stringContaining('at least 4 hex digits')])
    expect(heard).toEqual([])
  })

  it('needs the generation and the owner', async () => {
    expect((await verb('start-over', '--generation', '7')).stderr).toContain('--owner')
    expect((await verb('start-over', '--owner', '3f2a')).stderr).toContain('--generation')
  })
})
