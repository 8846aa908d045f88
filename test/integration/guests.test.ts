// Guests as users bring them: one that burns its core is no reason to suspect anybody; one that traps or spins
// ends its side without a claim; one whose state could not be captured is refused at load, by name.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { addDirtyLog } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { madeGuest } from '../guests/made-guest.ts'
import { LineClient } from './clients.ts'
import { guestFile, Pair, startDaemon, until } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

const BURN_MS = 5000
const ANSWER_WITHIN_MS = 100

/** Asks for the status again and again until `done`; returns the longest wait for an answer. */
async function askUntil(subject: Pair, done: () => boolean): Promise<number> {
  let longest = 0
  while (!done()) {
    const asked = performance.now()
    await subject.status('a')
    longest = Math.max(longest, performance.now() - asked)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return longest
}

describe('a guest that burns its core', () => {
  it('in one call of seconds: nobody is suspected and status answers', async () => {
    pair = await Pair.protected({ guest: 'stress' })
    const client = await LineClient.to(pair.clients.a)
    client.say('spin 100')
    const began = performance.now()
    await until('a short spin', () => client.lines.length === 1)
    const millions = Math.ceil((100 * BURN_MS) / (performance.now() - began))

    client.say(`spin ${Math.min(millions, 20_000)}`)
    const longest = await askUntil(pair, () => client.lines.length === 2)
    expect(longest).toBeLessThan(ANSWER_WITHIN_MS)
    const status = await pair.status('a')
    expect(status).toMatchObject({ state: 'protected', session: 1, failovers: 0 })
    client.close()
  })

  it('in many short calls: nobody is suspected and status answers', async () => {
    pair = await Pair.protected({ guest: 'stress' })
    const client = await LineClient.to(pair.clients.a)
    const ends = performance.now() + BURN_MS
    let said = 0
    const keepBusy = setInterval(() => {
      while (said - client.lines.length < 20 && performance.now() < ends) {
        client.say('spin 2')
        said++
      }
    }, 5)
    const longest = await askUntil(pair, () => performance.now() >= ends)
    clearInterval(keepBusy)
    expect(longest).toBeLessThan(ANSWER_WITHIN_MS)
    const status = await pair.status('a')
    expect(status).toMatchObject({ state: 'protected', session: 1, failovers: 0 })
    client.close()
  })
})

describe('a guest that dies', () => {
  it.each([
    ['by a trap', 'trap', /trap: /],
    ['by a spin', 'forever', /spin: one call took longer than 600 ms/],
  ])(
    '%s: the other side goes on, and this one comes back as its secondary',
    async (_, poison, why) => {
      pair = await Pair.protected({ guest: 'stress', delays: { guestCallTimeoutMs: 600 } })
      const client = await LineClient.to(pair.clients.a)
      client.say('count')
      await until('the first answer', () => client.lines.length === 1)
      client.say(poison)
      const survivor = await until('b to be the primary', async () => {
        const status = await pair!.status('b')
        return status.role === 'primary' && status.state === 'protected' && status
      })
      expect(survivor.failovers).toBe(1)
      expect(pair.log('a')).toMatch(why)
      expect((await pair.status('a')).role).toBe('secondary')
      await until('the client to be closed', () => client.closed)

      const second = await LineClient.to(pair.clients.b)
      second.say('count')
      await until('an answer', () => second.lines.length === 1)
      expect(second.lines).toEqual(['2'])
      second.close()
    },
  )

  it('alone: halted, guest state lost, until somebody starts over', async () => {
    pair = await Pair.protected({ guest: 'stress', delays: { haltedRecheckMs: 50 } })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    await pair.launch('a', 'primary')
    await pair.until('b', 'protected')
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    const client = await LineClient.to(pair.clients.b)
    client.say('trap')
    await pair.launch('a', 'primary')
    const halted = await pair.until('a', 'halted')
    expect(halted.reason).toMatch(/guest state lost: alone\(/)
    await pair.until('b', 'halted')

    const operator = await pair.client('a')
    const token = pair.token()
    const { register } = halted
    const owner = register?.holder.kind === 'alone' ? register.holder.owner : ''
    const words = { token, owner, ownerIsDead: true }
    await expect(operator.ask('start-over', { ...words, generation: 1 })).rejects.toThrow(
      `--generation ${halted.generation} --owner ${owner.slice(0, 4)}`,
    )
    await operator.ask('start-over', { ...words, generation: halted.generation })
    await pair.until('a', 'protected')
    await pair.until('b', 'protected')
  })
})

describe('the dirty log', () => {
  /** One that keeps a log of its own making can't be given another. */
  function alreadyRewritten(folder: string): string {
    const rewritten = addDirtyLog(readFileSync(guestFile('counter')), 16 << 20)
    if ('refused' in rewritten) throw new Error(rewritten.refused)
    const file = join(folder, 'rewritten.wasm')
    writeFileSync(file, rewritten.bytes)
    return file
  }

  it('is kept where it can be, and status tells of it', async () => {
    pair = await Pair.protected({ dirty: 'auto' })
    const { guest } = await pair.status('a')
    expect(guest.dirty).toMatchObject({ scheme: 'log' })
    expect(guest.kernel).toMatch(/^log /)
    expect((await pair.status('b')).guest.digest).toBe(guest.digest)
  })

  it('is rewritten once: the second daemon finds the module', async () => {
    pair = await Pair.protected({ dirty: 'log' })
    const kept = readdirSync(join(pair.dir, 'modules'))
    expect(kept).toHaveLength(1)
    // One that was damaged meanwhile is rewritten anew.
    writeFileSync(join(pair.dir, 'modules', kept[0]), 'damaged')
    await pair.signal('b', 'SIGKILL')
    await pair.until('a', 'standalone')
    await pair.launch('b', 'secondary')
    await pair.until('b', 'protected')
    expect(readFileSync(join(pair.dir, 'modules', kept[0])).length).toBeGreaterThan(1000)
  })

  it('makes a checkpoint due when much has changed', async () => {
    const hour = 3_600_000
    const delays = { periodMs: hour, commitWithinMs: hour }
    pair = await Pair.protected({ guest: 'stress', memoryMiB: 64, dirty: 'log', delays })
    const client = await LineClient.to(pair.clients.a)
    client.say('fill 8000')
    await until('the answer to be let go', () => client.lines.length === 1)
    const last = await until('its row', async () => {
      const { checkpoints } = await (await pair!.client('a')).ask('history', { rows: 1 })
      return checkpoints?.[0]?.trigger !== 'seed' && checkpoints?.[0]
    })
    expect(last).toMatchObject({ trigger: 'dirty', outcome: 'committed' })
    client.close()
  })

  it('must be kept by both sides or by none', async () => {
    pair = await Pair.start({ dirty: 'scan' })
    await pair.until('a', 'protected')
    await pair.signal('b', 'SIGKILL')
    await pair.launch('b', 'secondary', { dirty: 'log' })
    const refused = await until('b to be refused', async () => {
      const { reason } = await pair!.status('b')
      return reason.startsWith('wrong-guest') && reason
    })
    expect(refused).toContain('--dirty counts')
  })

  it('gives way to the scan where a module can not be rewritten, and says why', async () => {
    pair = await Pair.start()
    const guest = alreadyRewritten(pair.dir)
    const control = '127.0.0.1:0'
    await expect(
      startDaemon(pair.config('a', 'primary', { name: 'c', guest, control, dirty: 'log' })),
    ).rejects.toThrow(/can't keep a dirty log: an export named colo_mark_dirty/)
    await pair.signal('a', 'SIGKILL')
    await pair.launch('a', 'primary', { guest, dirty: 'auto' })
    const { dirty } = (await pair.status('a')).guest
    expect(dirty).toMatchObject({ scheme: 'scan' })
    expect(dirty.whyScan).toContain('colo_mark_dirty')
  })
})

describe('a module that can not be protected is refused at load, by name', () => {
  // (module (memory (export "memory") 1000) (global $g (mut externref) (ref.null extern)))
  const bare = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 4, 1, 0, 0xe8, 7, 6, 6, 1, 0x6f, 1, 0xd0, 0x6f, 0x0b],
    ...[7, 10, 1, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0],
  ])
  const address = madeGuest({ abiGlobal: [0x7f, 0, 0x41, 0x80, 8] })

  it.each([
    ['its exports', bare, /does not export the function colo_input/],
    ['its globals', bare, /mutable global number 0 holds a reference, which no host can read/],
    ['its memory', bare, /it needs 64000KiB of memory at its start, and --memory gives 16384KiB/],
    [
      'its version',
      address,
      /colo_abi is 1024, which is an address: .* export a function colo_abi/,
    ],
    ['no module at all', new TextEncoder().encode('hello'), /no valid WebAssembly module/],
  ])('for %s', async (_, bytes, why) => {
    pair = await Pair.prepare()
    const file = join(pair.dir, 'guest.wasm')
    writeFileSync(file, bytes)
    const config = pair.config('a', 'primary', { guest: file, control: '127.0.0.1:0' })
    await expect(startDaemon(config)).rejects.toThrow(why)
  })

  it('and one that is fine is not', () => {
    expect(readFileSync(guestFile('counter')).length).toBeGreaterThan(100)
  })
})

describe('the state of a guest', () => {
  it('is traced field by field where the log is to have it: saved here, loaded there', async () => {
    pair = await Pair.protected({ guest: 'counter', logLevel: 'trace' })
    const { dir } = pair
    const traced = (name: 'a' | 'b') =>
      readFileSync(join(dir, `${name}.log`), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"event":"vmstate_'))
        .map((line) => (JSON.parse(line) as { msg: string }).msg)
    const saved = 'vmstate_save_state_loop wasm-host/inputs[1]'
    const loaded = 'vmstate_load_state_field wasm-host:inputs'
    await until('the primary to say what it saves', () => traced('a').includes(saved))
    await until('the secondary to say what it loads', () => traced('b').includes(loaded))
    expect(traced('b')).not.toContain(saved)
  })
})
