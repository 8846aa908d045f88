// A disk is full that the guest does not need: that of --dir, of the log, of standard output or of a recording. The
// pair goes on, also through the death of either side; each side says which file is concerned, and once there is
// room again the trouble is over.

import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redis } from './clients.ts'
import { startCommand } from './command-side.ts'
import { Pair, until, type Name } from './pair.ts'
import { canMount, SmallDisk } from './small-disk.ts'

const SIDES = ['a', 'b'] as const
const other = (name: Name): Name => (name === 'a' ? 'b' : 'a')

let disk: SmallDisk
let elsewhere = ''
let pair: Pair | undefined

beforeEach(() => {
  if (!canMount) return
  disk = new SmallDisk()
  elsewhere = mkdtempSync(join(tmpdir(), 'colo-test-'))
})

afterEach(async () => {
  await pair?.dispose()
  pair = undefined
  if (!canMount) return
  disk.dispose()
  rmSync(elsewhere, { recursive: true })
})

const logOnDisk = (name: Name) => join(disk.path, `${name}.log`)

async function whole(started: Pair): Promise<void> {
  await started.until('a', 'protected')
  await started.until('b', 'protected')
}

/** Starts a pair with that one thing on the small disk, and fills it. */
const THINGS: Readonly<Record<string, () => Promise<Pair>>> = {
  '--dir': async () => {
    const dir = join(disk.path, 'dir')
    const witness = `file:${elsewhere}`
    const started = await Pair.prepare({ dir, witness })
    pair = started
    await started.launch('a', 'primary', { log: join(elsewhere, 'a.log') })
    await started.launch('b', 'secondary', { log: join(elsewhere, 'b.log') })
    await whole(started)
    // A write under way would leave room behind it, which the next one could use.
    await until('both seen files', () =>
      SIDES.every((name) => {
        const file = join(dir, 'test', `${name}.seen`)
        return existsSync(file) && readFileSync(file, 'utf8').includes('"generation":2')
      }),
    )
    disk.fill()
    return started
  },
  'the log': async () => {
    const started = await Pair.prepare()
    pair = started
    await started.launch('a', 'primary', { log: logOnDisk('a') })
    await started.launch('b', 'secondary', { log: logOnDisk('b') })
    await whole(started)
    disk.fill(logOnDisk('a'), logOnDisk('b'))
    return started
  },
  'standard output': async () => {
    const started = await Pair.prepare()
    pair = started
    for (const name of SIDES) {
      const stdout = openSync(logOnDisk(name), 'a')
      startCommand(started, name, name === 'a' ? 'primary' : 'secondary', { stdout })
      closeSync(stdout)
    }
    await whole(started)
    disk.fill(logOnDisk('a'), logOnDisk('b'))
    return started
  },
  'the recording': async () => {
    const started = await Pair.protected({ record: join(disk.path, 'recordings') })
    pair = started
    disk.fill()
    return started
  },
}

const WARNINGS: Readonly<Record<string, RegExp>> = {
  '--dir': /dir\/test\/[ab]\.seen: no space left there: .*\(ENOSPC\)/,
  'the log':
    /^the log .*\/[ab]\.log: no space left there: .*\(ENOSPC\); \d+ lines? (was|were) lost/,
  'standard output': /^the log standard output: no space left there: .*\(ENOSPC\)/,
  'the recording': /^recording ended: .*\/a-g1-s1\.(forward|back): no space left there/,
}

async function writes(port: number): Promise<number> {
  const client = await redis(port)
  let acknowledged = 0
  for (let i = 0; i < 20; i++) acknowledged = await client.incr('n')
  client.disconnect()
  return acknowledged
}

const cases = Object.keys(THINGS).flatMap((thing) => SIDES.map((victim) => ({ thing, victim })))

describe.skipIf(!canMount)('a full disk (needs to mount a tmpfs, as root)', () => {
  it.each(cases)('of $thing does not matter when $victim is killed', async ({ thing, victim }) => {
    const started = await THINGS[thing]()
    const acknowledged = await writes(started.clients.a)
    const survivor = other(victim)
    await started.signal(victim, 'SIGKILL')
    await started.until(survivor, 'standalone')
    expect(await writes(started.clients[survivor])).toBe(acknowledged + 20)
    const says = thing === 'the recording' ? 'a' : survivor
    if (says === survivor) {
      await until('the warning', async () => {
        const { warnings = [] } = await started.status(survivor)
        return warnings.some((text) => WARNINGS[thing].test(text))
      })
    }
    // It is still asked to end as ever, though nothing can be written.
    const child = started.process(survivor)
    child.kill('SIGTERM')
    await until('its end', () => child.exitCode !== null || child.signalCode !== null)
    expect([child.exitCode, child.signalCode]).toEqual([0, null])
  })

  it.each(['--dir', 'the log', 'standard output'])('of %s is over with room', async (thing) => {
    const started = await THINGS[thing]()
    await started.signal('a', 'SIGKILL')
    await until('the warning', async () => {
      const { warnings = [] } = await started.status('b')
      return warnings.some((text) => WARNINGS[thing].test(text))
    })
    disk.free()
    await until('its end', async () => (await started.status('b')).warnings?.length === 0)
    if (thing === '--dir') {
      const seen = JSON.parse(readFileSync(join(started.dir, 'test', 'b.seen'), 'utf8')) as unknown
      const { generation } = await started.status('b')
      expect(seen).toMatchObject({ generation })
      expect(readdirSync(join(started.dir, 'test')).filter((one) => /draft/.test(one))).toEqual([])
      return
    }
    const log = () => readFileSync(logOnDisk('b'), 'utf8')
    await until('the lines that waited', () => /"msg":"over: the log .*lines? w/.test(log()))
    await until('the lines behind them', () => log().includes('"msg":"primary: standalone"'))
  })

  it('of --dir does not matter to a hand-over, nor to a failback', async () => {
    const started = await THINGS['--dir']()
    const acknowledged = await writes(started.clients.a)
    await (await started.client('b')).ask('failover', { token: started.token() })
    await until('b to be the primary', async () => {
      const { role, state } = await started.status('b')
      return role === 'primary' && state === 'protected'
    })
    await started.signal('a', 'SIGKILL')
    await started.until('b', 'standalone')
    await started.launch('a', 'primary', { log: join(elsewhere, 'a.log') })
    await whole(started)
    expect(await writes(started.clients.b)).toBe(acknowledged + 20)
    disk.free()
    await until('both to be without warnings', async () => {
      const all = await Promise.all(SIDES.map(async (name) => started.status(name)))
      return all.every(({ warnings }) => warnings?.length === 0)
    })
    expect(readdirSync(join(started.dir, 'test'))).toEqual(
      expect.arrayContaining(['a.json', 'b.json']),
    )
  })

  it('of --dir does not matter to a pair whose secondary was stopped for a moment', async () => {
    const started = await THINGS['--dir']()
    const acknowledged = await writes(started.clients.a)
    started.process('b').kill('SIGSTOP')
    await started.until('a', 'standalone')
    started.process('b').kill('SIGCONT')
    await whole(started)
    expect(await writes(started.clients.a)).toBe(acknowledged + 20)
  })
})
