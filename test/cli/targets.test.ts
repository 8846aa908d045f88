// Which daemons a verb is for, from the run files that it finds.

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { CliError } from '../../terminal/exit-codes.ts'
import { chooseTargets } from '../../cli/targets.ts'
import { writeRunFile } from '../../daemon/run-files.ts'
import { inFolder } from './command.ts'

/** A process id that nobody has any more. */
const { pid: deadPid } = spawnSync(process.execPath, ['-e', ''])

async function leaveRunFile(dir: string, pair: string, name: string, pid = process.pid) {
  return writeRunFile(dir, {
    ...{ name, pair, pid, told: 'primary', guest: 'kv', tokenFile: `${dir}/${pair}/token` },
    control: `127.0.0.1:${name === 'a' ? 1 : 2}`,
    data: '127.0.0.1:3',
    clients: '127.0.0.1:4',
  })
}

function refusal(action: () => unknown): CliError {
  try {
    action()
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('targets', () => {
  it('are the sides of the one pair that lives', async () => {
    await inFolder(async (dir) => {
      await leaveRunFile(dir, 'p', 'b')
      await leaveRunFile(dir, 'p', 'a')
      await leaveRunFile(dir, 'old', 'a', deadPid)
      expect(chooseTargets({ dir })).toEqual([
        { control: '127.0.0.1:1', tokenFile: `${dir}/p/token`, label: 'p/a', pid: process.pid },
        { control: '127.0.0.1:2', tokenFile: `${dir}/p/token`, label: 'p/b', pid: process.pid },
      ])
      expect(chooseTargets({ dir, name: 'b' }).map(({ label }) => label)).toEqual(['p/b'])
    })
  })

  it('are listed when several pairs live', async () => {
    await inFolder(async (dir) => {
      await leaveRunFile(dir, 'p', 'a')
      await leaveRunFile(dir, 'q', 'a')
      const { exit, message } = refusal(() => chooseTargets({ dir }))
      expect(exit).toBe('usage')
      expect(message).toContain('--pair p --name a, --pair q --name a')
      expect(chooseTargets({ dir, pair: 'q' }).map(({ label }) => label)).toEqual(['q/a'])
    })
  })

  it('that are not there are named, with those that are', async () => {
    await inFolder(async (dir) => {
      await leaveRunFile(dir, 'p', 'a')
      const { exit, message } = refusal(() => chooseTargets({ dir, pair: 'p', name: 'c' }))
      expect(exit).toBe('nobody')
      expect(message).toContain('no daemon of pair p, side c')
      expect(message).toContain('--pair p --name a')
    })
  })

  it('may be an address', () => {
    const [target] = chooseTargets({ dir: '/nowhere', at: 'host:7380', tokenFile: 'token' })
    expect(target).toEqual({
      control: 'host:7380',
      tokenFile: 'token',
      label: 'host:7380',
      pid: undefined,
    })
  })
})
