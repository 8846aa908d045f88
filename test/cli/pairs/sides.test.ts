// `colo status` and `colo watch` on sides that die, hang, come back, or are known by their address alone.

import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { AbsentSide, SideRow } from '../../../cli/sides.ts'
import type { Status } from '../../../shared/protocol/control-messages.ts'
import { runFilePath, runFilesBelow, writeRunFile } from '../../../daemon/run-files.ts'
import { Pair, until, type Name } from '../../integration/pair.ts'
import { colo, Running } from '../command.ts'

let pair: Pair | undefined
let watching: Running | undefined

afterEach(async () => {
  watching?.process.kill('SIGKILL')
  watching = undefined
  await pair?.dispose()
  pair = undefined
})

async function rows(
  dir: string,
  ...args: string[]
): Promise<{ code: number | null; rows: SideRow[] }> {
  const { code, stdout } = await colo('status', '--dir', dir, '-f', 'json', ...args)
  return { code, rows: JSON.parse(stdout) as SideRow[] }
}

const pidOf = (one: Pair, name: Name) => one.process(name).pid

describe('colo status', () => {
  it('has a row for a side that was killed, with the reason and what it had seen', async () => {
    pair = await Pair.protected()
    const before = await rows(pair.dir)
    expect(before.rows.map(({ state }) => state)).toEqual(['protected', 'protected'])
    await pair.signal('b', 'SIGKILL')
    await pair.until('a', 'standalone')
    const { code, rows: after } = await rows(pair.dir)
    expect(code).toBe(0)
    expect(after).toEqual([
      expect.objectContaining({ name: 'a', state: 'standalone', generation: 3 }),
      {
        ...{ name: 'b', pair: 'test', pid: pidOf(pair, 'b'), state: 'dead', generation: 2 },
        reason: `dead (pid ${pidOf(pair, 'b')} ended)`,
        addresses: {
          control: `127.0.0.1:${pair.control.b}`,
          data: `127.0.0.1:${pair.data.b}`,
          clients: `127.0.0.1:${pair.clients.b}`,
        },
      },
    ])
    const { stdout } = await colo('status', '--dir', pair.dir)
    expect(stdout).toMatch(/^b +- +dead +2 .*dead \(pid \d+ ended\)$/m)
    const { incarnation } = after[0] as Status
    expect(stdout).toMatch(new RegExp(`alone\\(${incarnation.slice(0, 4)}\\)@3`))
    expect(stdout).not.toContain('\u001B')
  })

  it('ends with 3, and says why, where no side answers', async () => {
    pair = await Pair.protected()
    await pair.signal('b', 'SIGKILL')
    expect((await rows(pair.dir, '--name', 'b')).code).toBe(3)
    await pair.signal('a', 'SIGKILL')
    const { code, rows: none } = await rows(pair.dir)
    expect(none.map(({ state }) => state)).toEqual(['dead', 'dead'])
    expect(code).toBe(3)
  })

  it('has a row for a side that hangs', async () => {
    pair = await Pair.protected()
    await pair.signal('b', 'SIGSTOP')
    const { code, rows: seen } = await rows(pair.dir)
    expect(seen.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(seen[1]).toMatchObject({ state: 'no answer', pid: pidOf(pair, 'b') })
    expect(seen[1]?.reason).toMatch(/^no answer at 127\.0\.0\.1:\d+: .+/)
    expect(code).toBe(0)
    await pair.signal('b', 'SIGCONT')
  })

  it('has a row for the peer that a side names, though it left no run file here', async () => {
    pair = await Pair.protected()
    rmSync(runFilePath(pair.dir, 'test', 'b'))
    const { rows: both } = await rows(pair.dir)
    expect(both.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'protected'],
      ['b', 'protected'],
    ])
    await pair.signal('b', 'SIGKILL')
    const { code, rows: one } = await rows(pair.dir)
    expect(one).toHaveLength(2)
    expect(one[1]).toMatchObject({ name: 'b', pair: 'test', state: 'no answer' })
    expect((one[1] as AbsentSide).reason).toContain(`127.0.0.1:${pair.control.b}`)
    expect(code).toBe(0)
    // One side was asked for, and one is shown.
    expect((await rows(pair.dir, '--name', 'a')).rows).toHaveLength(1)
    expect((await rows(pair.dir, '--at', `127.0.0.1:${pair.control.a}`)).rows).toHaveLength(1)
  })

  it('does not take another pair for the side, where that has its port now', async () => {
    pair = await Pair.protected()
    const [run] = runFilesBelow(pair.dir).filter(({ name }) => name === 'b')
    if (run === undefined) throw new Error('b has no run file')
    await writeRunFile(pair.dir, { ...run, name: 'c' })
    const { rows: seen } = await rows(pair.dir, '--name', 'c')
    expect(seen[0]?.reason).toContain('test/b listens at')
  })
})

describe('colo watch', () => {
  it('says when the pair is not protected, how the side comes back, and that it did', async () => {
    pair = await Pair.protected()
    const running = new Running(['watch', '--dir', pair.dir])
    watching = running
    const said = () => running.bytes.toString()
    await until('the first verdict', () => said().includes('protected: either side may die'))
    await pair.signal('a', 'SIGKILL')
    await until('the command', () => /\n {2}.* secondary --name a .*\n/.test(said()))
    expect(said()).toMatch(/^NOT PROTECTED: a: dead \(pid \d+ ended\); b serves alone/m)
    const command = /\n {2}(.* secondary --name a .*)\n/.exec(said())?.[1] ?? ''
    expect(command).toContain(`--peer 127.0.0.1:${pair.control.b}`)
    const from = said().length
    await pair.launch('a', 'secondary')
    await until('the next verdict', () =>
      said().slice(from).includes('protected: either side may die'),
    )
    await pair.signal('b', 'SIGKILL')
    await pair.signal('a', 'SIGKILL')
    expect((await running.ended).code).toBe(0)
  })
})
