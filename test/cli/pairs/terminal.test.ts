// `colo up` on a real terminal (tmux is one): what stands on its screen after a failover, at another width, and
// after the side was brought back by the very command that the screen shows.

import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { livingDaemons } from '../../../daemon/run-files.ts'
import { until } from '../../integration/pair.ts'
import { COLO, inFolder } from '../command.ts'

const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0

class Terminal {
  readonly #socket: string

  constructor(folder: string, command: string, columns: number, rows: number) {
    this.#socket = join(folder, 'tmux')
    const size = ['-x', String(columns), '-y', String(rows)]
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, command)
  }

  #tmux(...args: string[]): string {
    const { stdout, stderr, status } = spawnSync('tmux', ['-S', this.#socket, ...args], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '' },
    })
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** What stands on it, a line a row. */
  screen(withColours = false): string {
    return this.#tmux('capture-pane', '-p', ...(withColours ? ['-e'] : []))
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  interrupt(): void {
    this.#tmux('send-keys', 'C-c')
  }

  close(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
  }
}

/** The command that the screen shows, as one copies it. */
function commandOn(screen: string): string {
  const lines = screen.split('\n')
  const begin = lines.findIndex((line) => line.includes('comes back by this command'))
  const end = lines.findIndex((line, at) => at > begin && line.trim() === '')
  return lines.slice(begin + 1, end).join('\n')
}

describe.skipIf(!HAS_TMUX)('colo up on a terminal (needs tmux)', () => {
  it('shows a failover, a comeback by the command that it prints, and a resize', async () => {
    await inFolder(async (dir) => {
      const command = `${process.execPath} ${COLO} up --port auto --dir ${dir}; sleep 60`
      const terminal = new Terminal(dir, command, 120, 45)
      try {
        const shows = async (what: string, from = '') =>
          until(`${what} on ${from || 'the screen'}`, () => terminal.screen().includes(what))
        await shows('protected: either side may die')
        const [a, b] = livingDaemons(dir)
        if (a === undefined || b === undefined) throw new Error('a side is missing')
        expect([a.start?.config.isNew, b.start?.config.isNew]).toEqual([true, false])
        expect(terminal.screen()).toContain(`kill -9 ${a.pid} `)
        process.kill(a.pid, 'SIGKILL')
        await shows('NOT PROTECTED: a: dead')
        await shows('b serves alone')
        expect(terminal.screen(true)).toContain('\u001B[1m\u001B[31mNOT PROTECTED')
        const screen = terminal.screen()
        expect(screen).not.toContain('kill -9')
        expect(screen).toMatch(new RegExp(String.raw`^b +primary +standalone +${b.pid} `, 'm'))
        expect(screen).not.toContain('protected: either')

        terminal.resize(60, 40)
        await until('the narrow picture', () => terminal.screen().includes('(no room for:'))
        const narrow = terminal.screen()
        expect(narrow.match(/NOT PROTECTED/g)).toHaveLength(1)
        expect(narrow.match(/^side /gm)).toHaveLength(1)
        expect(narrow).toContain('loaded')
        expect(commandOn(narrow)).toContain(' \\\n')

        spawn('sh', ['-c', commandOn(narrow)], { stdio: 'ignore' })
        await shows('protected: either side may die')
        const back = livingDaemons(dir).find(({ name }) => name === 'a')
        expect(back?.pid).not.toBe(a.pid)
        await shows(`kill -9 ${b.pid}`)
        expect(terminal.screen()).toMatch(
          new RegExp(String.raw`^a +secondary +protected +${back?.pid} `, 'm'),
        )
        expect(terminal.screen()).not.toContain('NOT PROTECTED')
        terminal.interrupt()
        await until('the end of both', () => livingDaemons(dir).length === 0)
      } finally {
        terminal.close()
        // In a test that failed half-way one may be left.
        for (const { pid } of livingDaemons(dir)) process.kill(pid, 'SIGKILL')
      }
    })
  })
})
