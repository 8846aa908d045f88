// What operators do to a pair, and what the witnesses say: hand-over, pause, a clean stop, lost state, and the
// kinds of witness that leave the decision to a person or to nobody.

import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { redis } from './clients.ts'
import { Pair, until, type Name } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

describe('failover by request', () => {
  it.each(['a', 'b'] as const)(
    'asked of %s: the secondary goes on and the pair is whole again',
    async (name) => {
      pair = await Pair.protected()
      const client = await redis(pair.clients.a)
      await client.set('key', 'value')
      const operator = await pair.client(name)
      await operator.ask('failover', { token: pair.token() })
      await until('b to be the primary', async () => {
        const status = await pair!.status('b')
        return status.role === 'primary' && status.state === 'protected'
      })
      await pair.until('a', 'protected')
      expect(await (await redis(pair.clients.b)).get('key')).toBe('value')
      // What was asked for is no error.
      expect(pair.log('b')).toMatch(/"code":"handed-over","wanted":true/)
      expect(pair.log('b')).not.toMatch(/"wanted":false/)
    },
  )

  it('is refused with the state when there is nobody to hand over to', async () => {
    pair = await Pair.protected()
    await pair.signal('b', 'SIGTERM')
    await pair.until('a', 'standalone')
    const operator = await pair.client('a')
    await expect(operator.ask('failover', { token: pair.token() })).rejects.toThrow(
      /not-now: primary, standalone/,
    )
  })
})

describe('pause and resume', () => {
  it('suspend the guest and let it go on; checkpoints go on meanwhile', async () => {
    pair = await Pair.protected()
    const client = await redis(pair.clients.a)
    await client.incr('n')
    const operator = await pair.client('a')
    const token = pair.token()
    await operator.ask('pause', { token })
    const answer = client.incr('n')
    const { checkpoints } = await pair.status('a')
    await until('three more checkpoints', async () => {
      return (await pair!.status('a')).checkpoints >= checkpoints + 3
    })
    expect((await pair.status('a')).guest.paused).toBe(true)
    await operator.ask('resume', { token })
    expect(await answer).toBe(2)
    client.disconnect()
  })
})

describe('a side that is stopped', () => {
  it('leaves by request: the other goes on at once and calls it no error', async () => {
    pair = await Pair.protected()
    await pair.signal('a', 'SIGTERM')
    await pair.until('b', 'standalone')
    expect(pair.log('b')).toMatch(/"code":"handed-over","wanted":true/)
    expect(pair.log('b')).not.toMatch(/"wanted":false/)
  })

  it.each(['a first', 'b first', 'at once'])(
    'by SIGTERM to both, %s: the next start needs nobody',
    async (order) => {
      pair = await Pair.protected()
      const gone = (['a', 'b'] as const).map(async (name) => once(pair!.process(name), 'exit'))
      const names = order === 'b first' ? (['b', 'a'] as const) : (['a', 'b'] as const)
      pair.process(names[0]).kill('SIGTERM')
      if (order !== 'at once')
        await until('it to end', () => pair!.process(names[0]).exitCode === 0)
      pair.process(names[1]).kill('SIGTERM')
      await Promise.all(gone)
      expect(names.map((name) => pair!.process(name).exitCode)).toEqual([0, 0])
      await pair.launch('a', 'primary')
      await pair.launch('b', 'secondary')
      await pair.until('a', 'protected')
      await pair.until('b', 'protected')
    },
  )

  it('with its peer writes `stopped`: the next start is a cold one', async () => {
    pair = await Pair.protected()
    const client = await redis(pair.clients.a)
    await client.set('key', 'value')
    const gone = [once(pair.process('a'), 'exit'), once(pair.process('b'), 'exit')]
    await (await pair.client('a')).ask('stop', { token: pair.token(), pair: true })
    await Promise.all(gone)
    expect(pair.process('a').exitCode).toBe(0)
    expect(pair.process('b').exitCode).toBe(0)
    await pair.launch('a', 'primary')
    await pair.launch('b', 'secondary')
    const status = await pair.until('a', 'protected')
    expect(status.generation).toBe(5)
    expect(await (await redis(pair.clients.a)).get('key')).toBeNull()
  })
})

describe('a restart of both', () => {
  it('does not serve by itself: the state was in two memories', async () => {
    pair = await Pair.protected({ delays: { haltedRecheckMs: 50 } })
    await pair.signal('a', 'SIGKILL')
    await pair.signal('b', 'SIGKILL')
    await pair.launch('a', 'primary')
    await pair.launch('b', 'secondary')
    const lost = async (name: Name) =>
      until(`${name} to say that the state is lost`, async () => {
        const status = await pair!.status(name)
        return status.state === 'halted' && /guest state lost: pair\(/.test(status.reason) && status
      })
    const { generation, register } = await lost('a')
    await lost('b')
    const holder = register?.holder
    const owner = holder?.kind === 'pair' ? holder.primary : undefined
    const words = { token: pair.token(), generation, owner, ownerIsDead: true }
    await (await pair.client('b')).ask('start-over', words)
    const survivor = await pair.until('b', 'protected')
    expect(survivor.role).toBe('primary')
  })
})

describe('a witness that went backwards', () => {
  it('is no judge: a side that holds nothing halts and says so, until the register is back', async () => {
    pair = await Pair.protected({ delays: { haltedRecheckMs: 50 } })
    await pair.signal('a', 'SIGKILL')
    const { generation } = await pair.until('b', 'standalone')
    // What b has seen is written beside its work: a kill may come first.
    const seen = join(pair.dir, 'test', 'b.seen')
    await until('it to be kept', () => {
      return readFileSync(seen, 'utf8').includes(`"generation":${generation},`)
    })
    await pair.signal('b', 'SIGKILL')
    const folder = join(pair.dir, 'test', 'witness')
    const newer = readdirSync(folder).filter((name) => /^gen-[23]\./.test(name))
    expect(newer).toHaveLength(2)
    for (const name of newer) renameSync(join(folder, name), join(pair.dir, name))
    await pair.launch('b', 'secondary')
    const halted = await pair.until('b', 'halted')
    const says = new RegExp(
      `is older than .* at generation 1\\); this side knows .* ${generation}$`,
    )
    expect(halted.reason).toMatch(/^witness went backwards: /)
    expect(halted.reason).toMatch(says)
    expect(halted.witnessTrouble).toMatch(says)
    for (const name of newer) renameSync(join(pair.dir, name), join(folder, name))
    await pair.launch('a', 'primary')
    await until('b to say that the state is lost', async () =>
      /guest state lost: alone\(/.test((await pair!.status('b')).reason),
    )
  })

  it('is put right by an owner that stands alone', async () => {
    pair = await Pair.protected({ delays: { registerCheckMs: 100 } })
    const client = await redis(pair.clients.a)
    await client.incr('n')
    await pair.signal('b', 'SIGKILL')
    const { generation } = await pair.until('a', 'standalone')
    const folder = join(pair.dir, 'test', 'witness')
    for (const name of readdirSync(folder)) {
      if (/^gen-[23]\./.test(name)) rmSync(join(folder, name))
    }
    await until('a to put it right', async () => {
      return (await pair!.status('a')).generation > generation
    })
    expect(pair.log('a')).toMatch(/"code":"witness-went-backwards"/)
    expect(await client.incr('n')).toBe(2)
    await pair.launch('b', 'secondary')
    await pair.until('b', 'protected')
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    expect(await (await redis(pair.clients.b)).get('n')).toBe('2')
    client.disconnect()
  })
})

describe('a witness that is not reached', () => {
  it('does not disturb a protected pair, and a claim waits for it', async () => {
    pair = await Pair.protected()
    const client = await redis(pair.clients.a)
    const folder = join(pair.dir, 'test', 'witness')
    renameSync(folder, `${folder}.away`)
    // A file in its place: the folder can't be made anew.
    renameSync(join(pair.dir, 'test', 'b.seen'), folder)
    expect(await client.incr('n')).toBe(1)
    await pair.signal('b', 'SIGKILL')
    await pair.until('a', 'claiming')
    const answer = client.incr('n')
    await until('the log to name the witness', () => /witness not reached/.test(pair!.log('a')))
    expect((await pair.status('a')).state).toBe('claiming')
    rmSync(folder)
    renameSync(`${folder}.away`, folder)
    await pair.until('a', 'standalone')
    expect(await answer).toBe(2)
    client.disconnect()
  })
})

describe('the witness `operator`', () => {
  it('stops and waits for a person', async () => {
    pair = await Pair.protected({ witness: 'operator' })
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'claiming')
    expect((await pair.status('b')).warning).toMatch(/waits for `colo failover`/)
    await (await pair.client('b')).ask('failover', { token: pair.token() })
    await pair.until('b', 'standalone')
    await pair.launch('a', 'primary')
    await pair.until('b', 'protected')
  })
})

describe('the witness `none`', () => {
  it('grants every claim and says in every status that split brain is possible', async () => {
    pair = await Pair.protected({ witness: 'none' })
    expect((await pair.status('a')).warning).toMatch(/split brain is possible/)
    await pair.signal('a', 'SIGKILL')
    await pair.until('b', 'standalone')
    await pair.launch('a', 'primary')
    const status = await pair.until('b', 'protected')
    expect(status.warning).toMatch(/split brain is possible/)
  })
})

describe('the token', () => {
  it('is made at the first start, readable by its owner alone', async () => {
    pair = await Pair.start()
    const file = join(pair.dir, 'test', 'token')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    mkdirSync(join(pair.dir, 'elsewhere'))
  })
})
