// What is mistyped ends with exit code 2 and one line that names the thing and the way out; the help of every
// verb teaches by an example.

import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../../cli/exit-codes.ts'
import { makeProgram } from '../../cli/program.ts'
import { MEMORY_BYTES_MAX } from '../../daemon/config.ts'
import { DELAY_NAMES } from '../../shared/protocol/delays.ts'
import { STATE_NAMES } from '../../shared/protocol/states.ts'
import { colo, inside } from './command.ts'

const verbs = makeProgram().commands.map((command) => command.name())

describe('wrong arguments', () => {
  it.each([
    [['bogus'], "unknown command 'bogus'"],
    [['up', '--bogus'], "unknown option '--bogus'"],
    [['up', '--load', 'x'], 'no whole number'],
    [['up', '--load', '0'], 'no whole number'],
    [['up', '--kill', 'primary'], 'primary@4s'],
    [['up', '--kill', 'guest@4s'], 'primary@4s'],
    [['up', '--hang', 'secondary@soon'], 'is no duration'],
    [['up', '--for', '5'], 'is no duration'],
    [['up', '--port', 'some'], 'no whole number 1 to 65534'],
    [['up', '--memory', '64 lots'], 'is no size'],
    [['up', '--format', 'xml'], 'Allowed choices are text, json'],
    [['up', '--suspect-ms', '-1'], 'suspect-ms'],
    [['up', '--period-ms', 'soon'], 'no positive number'],
    [['primary', '--memory', '100000'], '--memory: a multiple of 64 KiB'],
    [['primary', '--memory', '2GiB'], `--memory: at most ${MEMORY_BYTES_MAX / (1 << 20)}MiB`],
    [['up', '--memory', '4GiB'], `--memory: at most ${MEMORY_BYTES_MAX / (1 << 20)}MiB`],
    [['primary', '--name', 'a b'], '--name: letters'],
    [['primary', '--control', 'nowhere'], 'is no address'],
    [['primary', '--witness', 'oracle'], 'unknown witness "oracle"'],
    [['primary', '--control', 'h:1', '--data', 'h:1'], '--control and --data are both h:1'],
    [['status', '--at', 'nowhere'], '--at "nowhere" is no address'],
    [['history', '-n', '0'], 'no whole number'],
    [['start-over'], '--generation'],
    [['flatten', 'only-one'], "missing required argument 'out'"],
    [['flatten', '/nowhere/in', 'out'], '/nowhere/in: there is no such file (ENOENT)'],
  ])('%j', async (args, words) => {
    const { code, stdout, stderr } = await inside(...args)
    expect(stderr).toContain(words)
    expect(stderr).toMatch(/^colo: .+\n$/)
    expect([code, stdout]).toEqual([EXIT_CODES.usage.code, ''])
  })

  it('are answered with the help where there is no verb', async () => {
    const { code, stderr } = await inside()
    expect(code).toBe(EXIT_CODES.usage.code)
    expect(stderr).toContain('A tour of five minutes')
    expect(stderr).toMatch(/\ncolo: give a verb.+\n$/)
  })

  it('show a stack only when asked', async () => {
    const { stderr } = await colo('status', '--dir', '/nowhere')
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('end with 3 where nobody lives or answers', async () => {
    const none = await inside('status', '--dir', '/nowhere')
    expect(none).toMatchObject({ code: EXIT_CODES.nobody.code })
    expect(none.stderr).toContain('no daemon lives below /nowhere')
    const silent = await inside('status', '--at', '127.0.0.1:1')
    expect(silent).toMatchObject({ code: EXIT_CODES.nobody.code })
    expect(silent.stderr).toContain('nobody answers at 127.0.0.1:1')
  })
})

describe('help', () => {
  it('has every verb', () => {
    expect(verbs).toEqual([
      ...['up', 'primary', 'secondary', 'status', 'watch', 'history', 'failover', 'failback'],
      ...['pause', 'resume', 'start-over', 'adopt', 'stop', 'clean', 'guest', 'version'],
      ...['flatten', 'verify', 'decode', 'convert'],
    ])
  })

  it.each(verbs)('%s says when one uses it, with an example', async (verb) => {
    const { code, stdout } = await inside(verb, '--help')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nWhen:\n {2}\S/)
    expect(stdout).toMatch(/\nExamples?:\n {2}\S/)
  })

  it('shows the tour, the states and the exit codes', async () => {
    const { code, stdout } = await inside('--help')
    expect(code).toBe(0)
    for (const verb of verbs) expect(stdout).toContain(verb)
    for (const state of STATE_NAMES) expect(stdout).toContain(`\n  ${state} `)
    for (const { meaning } of Object.values(EXIT_CODES)) expect(stdout).toContain(meaning)
    expect(stdout).toContain('redis-cli -p 6380 incr visits')
  })

  it('has an option for every delay', async () => {
    const { stdout } = await inside('primary', '--help')
    for (const name of DELAY_NAMES) {
      const option = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      expect(stdout).toContain(`--${option} <n>`)
    }
  })
})
