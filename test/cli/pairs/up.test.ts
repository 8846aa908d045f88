// `colo up` with real daemons: a run that ends by itself, one that is broken on the way, and what is left of its
// daemons however it ends.

import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Status } from '../../../shared/protocol/control-messages.ts'
import { isAlive } from '../../../daemon/living-process.ts'
import { livingDaemons } from '../../../daemon/run-files.ts'
import { STAGE_NAMES } from '../../../shared/protocol/rows.ts'
import type { Summary } from '../../../cli/up/summary.ts'
import { madeGuest } from '../../guests/made-guest.ts'
import { until } from '../../integration/pair.ts'
import { colo, inFolder, Running } from '../command.ts'

const quantiles = { p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) }

/** Its version follows from no constant, so that it is known when the guest starts. */
const VERSION_7 = { abi: [0, 0x41, 3, 0x41, 4, 0x6a] }

/** Each with the file of the guest, or none, and what is said of it. */
const REFUSED: readonly (readonly [string, Uint8Array | undefined, RegExp])[] = [
  ['is missing', undefined, /--guest \S+guest\.wasm: there is no such file \(ENOENT\)$/],
  ['is no module', Buffer.from('hello'), /guest\.wasm: no WebAssembly module that this engine/],
  ['is cut off', madeGuest().subarray(0, -3), /guest\.wasm: no WebAssembly module that this/],
  [
    'imports what no pair gives',
    madeGuest({ imported: ['wasi', 'fd_write'] }),
    /guest\.wasm can't be protected: it imports wasi\.fd_write, .* \(colo guest inspect \S+ says more/,
  ],
  [
    'asks for more memory',
    madeGuest({ limits: [1, 9, 16] }),
    /can't be protected: it needs .*--memory gives/,
  ],
  [
    'is of another version',
    madeGuest({ abiGlobal: [0x7f, 0, 0x41, 7] }),
    /can't be protected: .*colo_abi is 7/,
  ],
  [
    'gives an address as its version',
    madeGuest({ abiGlobal: [0x7f, 0, 0x41, 0x80, 8] }),
    /can't be protected: .*colo_abi is 1024, which is an address/,
  ],
]

describe('colo up', () => {
  it('protects, loads, ends by itself and reports', async () => {
    await inFolder(async (dir) => {
      const args = ['--port', 'auto', '--for', '2s', '--load', '2', '--format', 'json']
      const { code, stdout, stderr } = await colo('up', '--dir', dir, ...args)
      expect(stderr).not.toContain('colo up:')
      expect(code).toBe(0)
      const summary = JSON.parse(stdout) as Summary
      expect(summary).toEqual({
        checkpoints: expect.any(Number),
        stages: Object.fromEntries(STAGE_NAMES.map((name) => [name, quantiles])),
        pause: quantiles,
        pages: expect.any(Number),
        bytes: expect.any(Number),
        failovers: [],
        writes: { acknowledged: expect.any(Number), lost: 0 },
        generation: 2,
        states: { a: 'protected', b: 'protected' },
      })
      expect(summary.checkpoints).toBeGreaterThan(10)
      expect(summary.writes.acknowledged).toBeGreaterThan(10)
      expect(livingDaemons(dir)).toEqual([])
    })
  })

  it('survives a kill and is protected again', async () => {
    await inFolder(async (dir) => {
      const faults = ['--kill', 'primary@500ms', '--respawn', '--kill', 'secondary@1s']
      const args = ['--port', 'auto', '--for', '1500ms', '--load', '2', '--format', 'json']
      const { code, stdout, stderr } = await colo('up', '--dir', dir, ...args, ...faults)
      expect(stderr).not.toContain('colo up:')
      expect(code).toBe(0)
      const { failovers, writes, states } = JSON.parse(stdout) as Summary
      expect(failovers.map(({ from, to }) => from + to)).toEqual(['ab', 'bb'])
      expect(writes.lost).toBe(0)
      expect(states).toEqual({ a: 'protected', b: 'protected' })
    })
  })

  it('ends with 1 when an injection never finds the pair protected', async () => {
    await inFolder(async (dir) => {
      const faults = ['--kill', 'primary@100ms', '--kill', 'primary@200ms']
      const { code, stderr } = await colo(
        'up',
        '--dir',
        dir,
        '--port',
        'auto',
        '--for',
        '1s',
        ...faults,
      )
      expect(stderr).toContain('kill primary@0.2s was not done')
      expect(code).toBe(1)
    })
  })

  it('names a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await colo('up', '--port', String(port))
    server.close()
    expect(stderr).toContain(`127.0.0.1:${port} is in use`)
    expect(code).toBe(2)
  })

  it.each(REFUSED)(
    'refuses a guest that %s, in one line, and starts nothing',
    async (_, module, says) => {
      await inFolder(async (folder) => {
        const guest = join(folder, 'guest.wasm')
        if (module !== undefined) writeFileSync(guest, module)
        const dir = join(folder, 'pairs')
        const args = [
          '--dir',
          dir,
          '--port',
          'auto',
          '--guest',
          guest,
          '--memory',
          '512k',
          '--for',
          '0s',
        ]
        const { code, stdout, stderr } = await colo('up', ...args)
        expect(stderr).toMatch(/^colo: .*\n$/)
        expect(stderr.trimEnd()).toMatch(says)
        expect([code, stdout, existsSync(dir)]).toEqual([2, '', false])
      })
    },
  )

  it('refuses a folder and standard input as a guest', async () => {
    await inFolder(async (dir) => {
      for (const [guest, says] of [
        [dir, 'it is a folder: name a file (EISDIR)'],
        ['-', '--guest -: name a file'],
      ] as const) {
        const { code, stderr } = await colo('up', '--dir', join(dir, 'pairs'), '--guest', guest)
        expect(stderr).toMatch(/^colo: .*\n$/)
        expect(stderr).toContain(says)
        expect([code, readdirSync(dir)]).toEqual([2, []])
      }
    })
  })

  it.each([
    [['--memory', '100000'], '--memory: a multiple of 64 KiB'],
    [['--witness', 'oracle'], 'unknown witness "oracle"'],
  ])('refuses %j before it starts anything', async (args, reason) => {
    await inFolder(async (dir) => {
      const { code, stderr } = await colo('up', '--dir', dir, '--port', 'auto', ...args)
      expect(stderr).toMatch(/^colo: .*\n$/)
      expect(stderr).toContain(reason)
      expect([code, readdirSync(dir)]).toEqual([2, []])
    })
  })

  it('refuses a guest of another version of the contract, at once, and leaves no folder', async () => {
    await inFolder(async (dir) => {
      const guest = join(dir, 'version7.wasm')
      writeFileSync(guest, madeGuest(VERSION_7))
      const from = performance.now()
      const args = ['--dir', join(dir, 'pairs'), '--port', 'auto', '--guest', guest]
      const { code, stderr } = await colo('up', ...args)
      expect(stderr.replaceAll(/^waiting for the pair .*\n/gm, '')).toMatch(
        /^colo: .*colo_abi is 7, and this host speaks version 1 of the contract\n$/,
      )
      expect(code).toBe(2)
      expect(performance.now() - from).toBeLessThan(30_000)
      const left = existsSync(join(dir, 'pairs')) ? readdirSync(join(dir, 'pairs')) : []
      expect(left.filter((name) => name !== 'modules')).toEqual([])
    })
  })

  it('says while it lasts that the pair is not protected, and how the side comes back', async () => {
    await inFolder(async (dir) => {
      const args = ['--port', 'auto', '--for', '2500ms', '--kill', 'primary@100ms']
      const { stdout } = await colo('up', '--dir', dir, ...args)
      expect(stdout).toMatch(/ NOT PROTECTED: a: dead \(pid \d+ ended: SIGKILL\); b serves alone/)
      const commands = stdout.match(/^ {2}\S.* secondary --name a --pair up-\w+ .*$/gm)
      // It is said once, and not every second.
      expect(commands).toHaveLength(1)
      expect(commands?.[0]).toContain(`--dir ${dir} `)
    })
  })
})

/** A pair that runs until somebody ends it. */
async function launched(dir: string): Promise<Running> {
  const running = new Running(['up', '--dir', dir, '--port', 'auto'])
  await until('both daemons and their protection', () => running.bytes.includes('try, in another'))
  return running
}

describe('the daemons of colo up', () => {
  it('end in order at a Ctrl-C, and can be asked before', async () => {
    await inFolder(async (dir) => {
      const running = await launched(dir)
      const status = await colo('status', '--dir', dir, '-f', 'json')
      expect((JSON.parse(status.stdout) as Status[]).map(({ state }) => state)).toEqual([
        'protected',
        'protected',
      ])
      const refused = await colo('failback', '--dir', dir)
      expect(refused).toMatchObject({ code: 4, stdout: '' })
      expect(refused.stderr).toMatch(/^colo: not-now: .+\n$/)
      const moved = await colo('failover', '--dir', dir)
      expect(moved).toMatchObject({ code: 0, stderr: '' })
      await until('the hand-over', async () => {
        const { stdout } = await colo('history', '--dir', dir, '--name', 'b')
        return stdout.includes('handed-over')
      })
      running.process.kill('SIGINT')
      const { code, stderr } = await running.ended
      expect(stderr).not.toContain('colo')
      expect(code).toBe(0)
      expect(livingDaemons(dir)).toEqual([])
    })
  })

  it('do not outlive it when it is killed', async () => {
    await inFolder(async (dir) => {
      const running = await launched(dir)
      const pids = livingDaemons(dir).map(({ pid }) => pid)
      expect(pids).toHaveLength(2)
      running.process.kill('SIGKILL')
      await until('their end', () => !pids.some(isAlive))
    })
  })

  it('can be stopped one by one, and by pair', async () => {
    await inFolder(async (dir) => {
      const running = await launched(dir)
      expect(await colo('stop', '--dir', dir)).toMatchObject({ code: 2 })
      expect(await colo('stop', '--dir', dir, '--name', 'b')).toMatchObject({ code: 0 })
      expect(livingDaemons(dir).map(({ name }) => name)).toEqual(['a'])
      expect(await colo('stop', '--dir', dir, '--pair')).toMatchObject({ code: 0 })
      expect(livingDaemons(dir)).toEqual([])
      await running.ended
    })
  })
})
