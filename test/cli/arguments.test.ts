// What is mistyped ends with exit code 2 and one line that names the thing and the way out; the help of every
// verb teaches by an example.

import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../../terminal/exit-codes.ts'
import { makeProgram } from '../../cli/program.ts'
import { MEMORY_BYTES_MAX } from '../../daemon/config.ts'
import { DELAY_NAMES } from '../../shared/protocol/delays.ts'
import { STATE_NAMES } from '../../shared/protocol/states.ts'
import { colo, inside } from './command.ts'

type Command = ReturnType<typeof makeProgram>

/** What prints a help: the whole, each verb, and each verb of a verb. */
const HELPS: readonly (readonly string[])[] = [
  ['--help'],
  ['up', '--help-delays'],
  ...makeProgram().commands.flatMap((command) => [
    [command.name(), '--help'],
    ...command.commands.map((inner) => [command.name(), inner.name(), '--help']),
  ]),
]

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
    [['up', '--period-ms', 'soon'], 'is no duration: write 500ms, 1.5s, 2m or 1h, or 400 for'],
    [['up', '--period-ms', '0s'], 'is no duration above 0'],
    [['up', '--for', '600h'], 'is too long: a duration is at most 596h'],
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

describe('-f', () => {
  const all = makeProgram().commands.flatMap((command) => [command, ...command.commands])

  it('means --format in every verb that has it, and nothing else in any', () => {
    const verbsOf = (fits: (option: Command['options'][number]) => boolean) =>
      all.filter(({ options }) => options.some(fits)).map((command) => command.name())
    const formats = verbsOf(({ long }) => long === '--format')
    expect(formats).toEqual(expect.arrayContaining(['up', 'status', 'inspect', 'verify', 'decode']))
    expect(verbsOf(({ long, short }) => long === '--format' && short === '-f')).toEqual(formats)
    expect(verbsOf(({ short }) => short === '-f')).toEqual(formats)
  })
})

describe('help', () => {
  it('has every verb', () => {
    expect(verbs).toEqual([
      ...['up', 'primary', 'secondary', 'status', 'watch', 'history', 'failover', 'failback'],
      ...['pause', 'resume', 'start-over', 'adopt', 'stop', 'clean', 'guest'],
      ...['completion', 'version'],
      ...['flatten', 'verify', 'decode', 'convert'],
    ])
  })

  it.each(verbs)('%s says when one uses it, with an example', async (verb) => {
    const { code, stdout } = await inside(verb, '--help')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nWhen:\n {2}\S/)
    expect(stdout).toMatch(/\nExamples?:\n {2}\S/)
  })

  it.each(HELPS.map((words) => [words]))('%j fits 80 columns', async (words) => {
    const { code, stdout } = await inside(...words)
    expect(code).toBe(0)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('has the commands of the examples whole, for a shell', async () => {
    const { stdout } = await inside('primary', '--help')
    const [, examples = ''] = stdout.split('\nExamples:\n')
    expect(examples.replaceAll(/ *\\\n\s*/g, ' ')).toContain(
      '\n  colo primary --control 10.0.0.1:7380 --data 10.0.0.1:7382 --peer 10.0.0.2:7380\n',
    )
  })

  it('keeps the delays of colo up behind --help-delays', async () => {
    const [plain, delays] = [await inside('up', '--help'), await inside('up', '--help-delays')]
    expect(plain.stdout).toContain('--help-delays')
    expect(plain.stdout).not.toContain('--suspect-ms <')
    expect(delays.stdout).toContain('--suspect-ms <time>')
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
      expect(stdout).toContain(`--${option} <time>`)
    }
  })
})
