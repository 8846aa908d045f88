// What a daemon does beside the guest (its log, its run file, its recordings) goes wrong, and the pair goes on; and a
// start that cannot succeed is one line that names the file or the address, with nothing left open.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { colo } from '../cli/command.ts'
import { redis } from './clients.ts'
import { startCommand, type CommandSide } from './command-side.ts'
import { freePort, Pair, until } from './pair.ts'

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

describe('a second daemon of a name', () => {
  it('is refused, and the first is found as before', async () => {
    pair = await Pair.protected()
    const first = pair.process('b')
    const { control, data, clients } = { control: await freePort(), data: 0, clients: 0 }
    const places = Object.entries({ control, data, clients }).flatMap(([key, port]) => {
      return [`--${key}`, `127.0.0.1:${port}`]
    })
    const second = startCommand(pair, 'b', 'secondary', { args: places })
    expect(await second.ended).toEqual({ code: 2, signal: null })
    expect(second.complaint()).toMatch(
      new RegExp(
        `^colo: secondary b: b of pair \`test\` runs already, pid ${first.pid}, .*--name or --dir.*\n$`,
      ),
    )
    pair.processes.set('b', first)
    expect((await colo('status', '--dir', pair.dir, '--name', 'b')).stdout).toContain('protected')
  })

  it('may begin once the first was killed', async () => {
    pair = await Pair.protected()
    await pair.signal('b', 'SIGKILL')
    await pair.launch('b', 'secondary')
    await pair.until('a', 'protected')
  })
})

interface Failure {
  readonly what: string
  /** Prepares the trouble and gives the options that run into it. */
  readonly args: (started: Pair) => Promise<readonly string[]> | readonly string[]
  readonly says: RegExp
}

async function takenPort(): Promise<number> {
  const server = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return port
}

const taken = (option: string): Failure => ({
  what: `a taken address of ${option}`,
  args: async () => [option, `127.0.0.1:${await takenPort()}`],
  says: new RegExp(
    `${option} 127\\.0\\.0\\.1:\\d+: somebody listens there already \\(EADDRINUSE\\): give ${option}`,
  ),
})

function fileInTheWay(started: Pair): string {
  const file = join(started.dir, 'file')
  writeFileSync(file, '')
  return file
}

function leave(started: Pair, name: string, text: string): readonly string[] {
  mkdirSync(join(started.dir, 'test'), { recursive: true })
  writeFileSync(join(started.dir, 'test', name), text, { mode: 0o600 })
  return []
}

const FAILURES: readonly Failure[] = [
  taken('--control'),
  taken('--data'),
  taken('--clients'),
  {
    what: 'a name that nobody knows',
    args: () => ['--clients', 'nowhere.invalid:1'],
    says: /--clients nowhere\.invalid:1: .*\((ENOTFOUND|EAI_AGAIN)\): give --clients/,
  },
  {
    what: 'an address of another machine',
    args: () => ['--data', '192.0.2.1:7382'],
    says: /--data 192\.0\.2\.1:7382: this machine does not have that address \(EADDRNOTAVAIL\): /,
  },
  {
    what: 'a --dir that cannot be made',
    args: (started) => ['--dir', join(fileInTheWay(started), 'dir')],
    says: /--dir .*file\/dir: .*\((EEXIST|ENOTDIR)\).*--dir/,
  },
  {
    what: 'a --log that cannot be made',
    args: (started) => ['--log', join(fileInTheWay(started), 'log')],
    says: /--log .*file\/log: .*\((EEXIST|ENOTDIR)\)/,
  },
  {
    what: 'a guest that is not there',
    args: () => ['--guest', 'nowhere.wasm'],
    says: /--guest nowhere\.wasm: there is no such file \(ENOENT\)/,
  },
  {
    what: 'a token that cannot be made',
    args: (started) => ['--token-file', join(fileInTheWay(started), 'token')],
    says: /the token .*file\/token: .*\((EEXIST|ENOTDIR)\)/,
  },
  {
    what: 'an empty token',
    args: (started) => leave(started, 'token', ''),
    says: /test\/token holds no token: remove it/,
  },
  {
    what: 'an empty seen file',
    args: (started) => leave(started, 'b.seen', ''),
    says: /test\/b\.seen: it is empty: remove it; this side then counts as new/,
  },
  {
    what: 'a seen file that is no JSON',
    args: (started) => leave(started, 'b.seen', '{"gener'),
    says: /test\/b\.seen: it does not hold .*: remove it; this side then counts as new/,
  },
]

describe('a start that cannot succeed', () => {
  it.each(FAILURES)('because of $what is one line and exit code 2', async ({ args, says }) => {
    pair = await Pair.prepare()
    const given = await args(pair)
    const side = startCommand(pair, 'b', 'secondary', { args: given })
    expect(await side.ended).toEqual({ code: 2, signal: null })
    expect(side.complaint()).toMatch(says)
    expect(side.complaint()).toMatch(/^colo: secondary b: [^\n]+\n$/)
    const home = join(pair.dir, 'test')
    const left = existsSync(home) ? readdirSync(home) : []
    expect(left.filter((name) => /\.json|draft/.test(name))).toEqual([])
  })
})

describe('a connection that comes before the side is there', () => {
  it('is refused, and the daemon starts', async () => {
    pair = await Pair.prepare()
    const started = pair
    const ports = [pair.control.a, pair.data.a, pair.clients.a]
    let asked = 0
    const knock = () => {
      for (const port of ports) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.once('connect', () => asked++)
        socket.end(`colo-pair 1 ${'0'.repeat(32)}\n`)
      }
    }
    const knocking = setInterval(knock, 1)
    try {
      await started.launch('a', 'primary')
      await until('connections', () => asked > 50)
    } finally {
      clearInterval(knocking)
    }
    await started.launch('b', 'secondary')
    await started.until('a', 'protected')
    expect(started.process('a').exitCode).toBeNull()
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
        import { endProcess } from '${end}'
        write(openSync('${pipe}', 'r+'), Buffer.alloc(1 << 20), () => {})
        await endProcess(0, 100)`
      const child = spawn(process.execPath, ['--input-type=module', '-e', script])
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
      const quick = `import { endProcess } from '${end}'; await endProcess(7, 60_000)`
      const other = spawn(process.execPath, ['--input-type=module', '-e', quick])
      expect(await once(other, 'exit')).toEqual([7, null])
    },
  )
})
