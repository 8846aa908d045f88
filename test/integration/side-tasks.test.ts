// What a daemon does beside the guest (its log, its recordings) goes wrong, and the pair goes on; and the daemon ends
// when it is asked to, whatever its outputs do.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  constants,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { colo } from '../cli/command.ts'
import { redis } from './clients.ts'
import { startCommand, type CommandSide } from './command-side.ts'
import { Pair, until } from './pair.ts'

const { yieldTimeoutMs, witnessTimeoutMs } = delaysWith()
/** What the end of a daemon may take at most, and some time for the process to begin with it on a busy machine. */
const END_MS = yieldTimeoutMs + witnessTimeoutMs + 2000
const DIST = join(import.meta.dirname, '..', '..', 'dist')

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

async function endsBySigterm({ child, ended }: CommandSide): Promise<void> {
  const asked = performance.now()
  child.kill('SIGTERM')
  expect(await ended).toEqual({ code: 0, signal: null })
  expect(performance.now() - asked).toBeLessThan(END_MS)
}

async function warned(started: Pair, name: 'a' | 'b', pattern: RegExp): Promise<void> {
  await until(`a warning ${pattern}`, async () => {
    const { warnings = [] } = await started.status(name)
    return warnings.some((text) => pattern.test(text))
  })
}

/** Many lines a second, so that a pipe is soon full. */
const MUCH = ['--log-level', 'trace', '--period-ms', '5']

async function pairOfCommands(stdout: 'pipe' | number, args = MUCH) {
  pair = await Pair.prepare()
  const a = startCommand(pair, 'a', 'primary', { stdout, args })
  const b = startCommand(pair, 'b', 'secondary', { args: ['--log-level', 'silent'] })
  await pair.until('a', 'protected')
  await pair.until('b', 'protected')
  return { started: pair, a, b }
}

async function stillServes(started: Pair): Promise<void> {
  const client = await redis(started.clients.a)
  expect(await client.incr('n')).toBeGreaterThan(0)
  client.disconnect()
  expect((await started.status('a')).state).toBe('protected')
}

describe('a reader of standard output', () => {
  it('that stands still stops neither the service nor the end', async () => {
    const { started, a } = await pairOfCommands('pipe')
    await warned(started, 'a', /^the log standard output: its reader stands still/)
    await stillServes(started)
    await endsBySigterm(a)
  })

  it('that stands still at a named pipe does as little', async () => {
    const folder = (await Pair.prepare()).dir
    const path = join(folder, 'pipe')
    if (spawnSync('mkfifo', [path]).status !== 0) return
    // Whoever opened it here for reading never reads.
    const { started, a } = await pairOfCommands(openSync(path, constants.O_RDWR))
    await warned(started, 'a', /^the log standard output: its reader stands still/)
    await stillServes(started)
    await endsBySigterm(a)
    rmSync(folder, { recursive: true })
  })

  it('that died stops neither', async () => {
    const { started, a } = await pairOfCommands('pipe')
    a.child.stdout?.destroy()
    await warned(started, 'a', /^the log standard output: .*\(EPIPE\)/)
    await stillServes(started)
    await endsBySigterm(a)
  })
})

describe('a log', () => {
  it.skipIf(!existsSync('/dev/full'))(
    'on a disk that takes nothing is a line of `colo status` (needs /dev/full)',
    async () => {
      const { started, a } = await pairOfCommands('pipe', ['--log', '/dev/full'])
      await warned(started, 'a', /^the log \/dev\/full: no space left there/)
      const { stdout } = await colo('status', '--dir', started.dir)
      expect(stdout).toMatch(/^warning: a: the log \/dev\/full: no space left there: .*$/m)
      await stillServes(started)
      await endsBySigterm(a)
    },
  )

  it('whose folder is removed is made anew', async () => {
    pair = await Pair.prepare()
    const folder = join(pair.dir, 'logs')
    const log = join(folder, 'a.log')
    await pair.launch('a', 'primary', { log })
    await pair.launch('b', 'secondary')
    await pair.until('a', 'protected')
    rmSync(folder, { recursive: true })
    await until('lines in a new file', () => {
      connect(pair!.data.a, '127.0.0.1')
        .on('error', () => {})
        .end('garbage\n')
      return existsSync(log) && readFileSync(log, 'utf8').includes('refused')
    })
    await stillServes(pair)
  })
})

describe('a recording', () => {
  it('that cannot be written costs no session, and the next one is written', async () => {
    pair = await Pair.prepare({ record: '' })
    const record = join(pair.dir, 'recordings')
    await pair.launch('a', 'primary', { record })
    writeFileSync(record, 'in the way')
    await pair.launch('b', 'secondary', { record: undefined })
    await pair.until('a', 'protected')
    await warned(pair, 'a', /^recording ended: .*recordings\/a-g1-s1\.(forward|back): /)
    await stillServes(pair)
    await pair.signal('b', 'SIGKILL')
    await pair.until('a', 'standalone')
    rmSync(record)
    await pair.launch('b', 'secondary', { record: undefined })
    await pair.until('a', 'protected')
    await until('the end of the warning', async () => {
      return (await pair!.status('a')).warnings?.length === 0
    })
    expect(readdirSync(record)).toHaveLength(2)
  })
})

describe('the end of a process', () => {
  it.skipIf(spawnSync('mkfifo', ['--version']).status !== 0)(
    'does not wait for a write that does not end (needs mkfifo)',
    async () => {
      const folder = (await Pair.prepare()).dir
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const pipe = join(folder, 'pipe')
      spawnSync('mkfifo', [pipe])
      const end = pathToFileURL(join(DIST, 'daemon', 'process-end.js')).href
      const script = `
        import { openSync, write } from 'node:fs'
        const { endProcess } = await import(process.argv[1])
        write(openSync('${pipe}', 'r+'), Buffer.alloc(1 << 20), () => {})
        await endProcess(0, 100)`
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, end])
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
      const quick = `(await import(process.argv[1])).endProcess(7, 60_000)`
      const other = spawn(process.execPath, ['--input-type=module', '-e', quick, end])
      expect(await once(other, 'exit')).toEqual([7, null])
    },
  )
})
