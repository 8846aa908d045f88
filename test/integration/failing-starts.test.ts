// A start that cannot succeed is one line that names the file or the address and the way out, and leaves nothing open
// behind; a name belongs to one living daemon; and what comes too early is refused.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { colo } from '../cli/command.ts'
import { startCommand } from './command-side.ts'
import { freePort, Pair, until } from './pair.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
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
