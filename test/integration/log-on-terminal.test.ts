// The log of a daemon on a terminal: lines for people there, JSON elsewhere; and a terminal that stands still or was
// closed stops neither the service nor the end.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { constants, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { redis } from './clients.ts'
import { startCommand, type CommandSide } from './command-side.ts'
import { Pair, until } from './pair.ts'

const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0
const COLOURS = { NO_COLOR: undefined, TERM: 'xterm' }
const TEXT = /^\d\d:\d\d:\d\d\.\d{3} info {2}a: listening \{.*control=127\.0\.0\.1:\d+.*\}$/m

/** A terminal that `script` reads: what is written to its device is shown here. */
class Terminal {
  readonly fd: number
  readonly #script: ChildProcess
  #seen = ''

  private constructor(script: ChildProcess, device: string) {
    this.#script = script
    this.fd = openSync(device, constants.O_RDWR | constants.O_NOCTTY)
    script.stdout?.on('data', (bytes: Buffer) => (this.#seen += bytes.toString()))
  }

  static async open(folder: string): Promise<Terminal> {
    const file = join(folder, 'device')
    const command = `tty >'${file}'; exec sleep 600`
    const script = spawn('script', ['-qec', command, '/dev/null'], { stdio: 'pipe' })
    const device = await until('a terminal', () => {
      return existsSync(file) && /^(\S+)\n$/.exec(readFileSync(file, 'utf8'))?.[1]
    })
    return new Terminal(script, device)
  }

  get seen(): string {
    return this.#seen.replaceAll('\r\n', '\n')
  }

  standStill(): void {
    this.#script.kill('SIGSTOP')
  }

  goOn(): void {
    this.#script.kill('SIGCONT')
  }

  close(): void {
    this.#script.kill('SIGKILL')
  }
}

let pair: Pair | undefined
let terminal: Terminal | undefined
afterEach(async () => {
  terminal?.close()
  await pair?.dispose()
  pair = undefined
  terminal = undefined
})

async function prepare(): Promise<{ started: Pair; shown: Terminal }> {
  pair = await Pair.prepare({ witness: 'none' })
  terminal = await Terminal.open(pair.dir)
  return { started: pair, shown: terminal }
}

describe.skipIf(!HAS_SCRIPT)('a log on a terminal (needs script)', () => {
  it('is lines for people, with colours', async () => {
    const { started, shown } = await prepare()
    startCommand(started, 'a', 'primary', { stdout: shown.fd, env: COLOURS })
    await until('the first lines', () => TEXT.test(shown.seen) && shown.seen.includes('warn'))
    expect(shown.seen).toContain(' \u001B[33mwarn \u001B[0m a: ')
    expect(shown.seen).not.toContain('{"level"')
  })

  it('has no colours where NO_COLOR is set', async () => {
    const { started, shown } = await prepare()
    const env = { ...COLOURS, NO_COLOR: '1' }
    startCommand(started, 'a', 'primary', { stdout: shown.fd, env })
    await until('the first lines', () => / warn {2}a: \S/.test(shown.seen))
    expect(shown.seen).toMatch(TEXT)
    expect(shown.seen).not.toContain('\u001B')
  })

  it('is JSON where that is asked for', async () => {
    const { started, shown } = await prepare()
    const args = ['--log-format', 'json']
    startCommand(started, 'a', 'primary', { stdout: shown.fd, env: COLOURS, args })
    await until('a line', () => shown.seen.includes('\n'))
    const [line = ''] = shown.seen.split('\n')
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), name: 'a', pair: 'test' })
  })
})

describe('a log in a pipe', () => {
  /** The first line in which a side says where it listens. */
  async function listening({ child }: CommandSide): Promise<string> {
    let seen = ''
    child.stdout?.on('data', (bytes: Buffer) => (seen += bytes.toString()))
    return until('a line', () => seen.split('\n').find((line) => line.includes('listening')))
  }

  it('is JSON', async () => {
    pair = await Pair.prepare()
    const side = startCommand(pair, 'a', 'primary', { stdout: 'pipe', env: COLOURS })
    expect(JSON.parse(await listening(side))).toMatchObject({ level: 30, msg: 'listening' })
  })

  it('is text without colours where that is asked for', async () => {
    pair = await Pair.prepare({ witness: 'none' })
    const args = ['--log-format', 'text']
    const side = startCommand(pair, 'a', 'primary', { stdout: 'pipe', env: COLOURS, args })
    const line = await listening(side)
    expect(line).toMatch(TEXT)
    expect(line).not.toContain('\u001B')
  })
})

/** Many lines a second, so that a terminal that stands still is soon full. */
const MUCH = ['--log-level', 'trace', '--period', '5ms']

async function protectedOn(): Promise<{ started: Pair; shown: Terminal; a: CommandSide }> {
  const { started, shown } = await prepare()
  const a = startCommand(started, 'a', 'primary', { stdout: shown.fd, args: MUCH, env: COLOURS })
  startCommand(started, 'b', 'secondary', { args: ['--log-level', 'silent'] })
  await started.until('a', 'protected')
  await started.until('b', 'protected')
  return { started, shown, a }
}

async function warnings(started: Pair, fit: (all: readonly string[]) => boolean): Promise<void> {
  await until('other warnings', async () => fit((await started.status('a')).warnings ?? []))
}

async function stillServes(started: Pair): Promise<void> {
  const client = await redis(started.clients.a)
  expect(await client.incr('n')).toBeGreaterThan(0)
  client.disconnect()
  expect((await started.status('a')).state).toBe('protected')
}

async function endsBySigterm({ child, ended }: CommandSide): Promise<void> {
  child.kill('SIGTERM')
  expect(await ended).toEqual({ code: 0, signal: null })
}

describe.skipIf(!HAS_SCRIPT)('a terminal (needs script)', () => {
  it('that stands still holds nothing up, and shows whole lines when it goes on', async () => {
    const { started, shown, a } = await protectedOn()
    shown.standStill()
    await warnings(started, (all) => all.some((text) => /its reader stands still/.test(text)))
    await stillServes(started)
    shown.goOn()
    await warnings(started, (all) => all.length === 0)
    await endsBySigterm(a)
    const lines = shown.seen.split('\n').slice(0, -1)
    expect(lines.filter((line) => !/^\d\d:\d\d:\d\d\.\d{3} /.test(line))).toEqual([])
  })

  it('that stands still does not keep the daemon from ending', async () => {
    const { started, shown, a } = await protectedOn()
    shown.standStill()
    await warnings(started, (all) => all.some((text) => /its reader stands still/.test(text)))
    await endsBySigterm(a)
  })

  it('that was closed is a warning, and nothing else', async () => {
    const { started, shown, a } = await protectedOn()
    shown.close()
    await warnings(started, (all) =>
      all.some((text) => /^the log standard output: .*\(EIO\)/.test(text)),
    )
    await stillServes(started)
    await endsBySigterm(a)
  })
})
