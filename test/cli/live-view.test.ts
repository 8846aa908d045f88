// What the live view shows, as a pure function of what the sides say, the size of the terminal and its colours.

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fitTable } from '../../terminal/fit-table.ts'
import { whyNotProtected, type SideSeen } from '../../cli/protection.ts'
import { daemonArguments, returnCommand } from '../../cli/start-command.ts'
import { colourOf, STATE_COLOURS } from '../../terminal/terminal-colours.ts'
import { coloured, paintFor, plain, type Paint } from '../../terminal/paint.ts'
import { renderView, rowsOf, type View, type ViewSide } from '../../cli/up/render-view.ts'
import { wrapCommand, wrapWords } from '../../terminal/wrap.ts'
import { configSchema } from '../../daemon/config.ts'
import { makeProgram } from '../../cli/program.ts'
import type { Status } from '../../shared/protocol/control-messages.ts'
import { STATE_NAMES } from '../../shared/protocol/states.ts'
import { STAGE_NAMES } from '../../shared/protocol/rows.ts'

const times = { p50: 123.4, p99: 1234.5, max: 2000 }

function statusOf(name: string, change: Partial<Status>): Status {
  return {
    ...{ name, pair: 'p', pid: name === 'a' ? 101 : 102, incarnation: '0'.repeat(32) },
    ...{ role: name === 'a' ? 'primary' : 'secondary', state: 'protected', generation: 12 },
    ...{ reason: 'the pair is recorded by the witness', epoch: 123_456, session: 1 },
    ...{ witness: 'file', peer: { name: '', address: '127.0.0.1:7381' }, clients: 8 },
    guest: {
      ...{ name: 'kv', digest: '', memoryBytes: 1, kernel: 'log', paused: false },
      dirty: { scheme: 'log', rewriteMs: 1 },
    },
    addresses: { control: '127.0.0.1:7380', data: '127.0.0.1:7382', clients: '127.0.0.1:6380' },
    ...{ checkpoints: 1, pages: 1, bytes: 1, heldBytes: 0, pause: times, find: times },
    stages: Object.fromEntries(STAGE_NAMES.map((stage) => [stage, times])),
    ...{ cycle: times, dirtyPages: 3, failovers: 0, rssBytes: 1, uptimeMs: 1 },
    ...change,
  }
}

const sideOf = (name: string, change: Partial<Status> = {}): ViewSide => ({
  ...{ name, pid: name === 'a' ? 101 : 102, status: statusOf(name, change) },
  ...{ clients: '127.0.0.1:26044', control: '127.0.0.1:21500' },
})

const gone: ViewSide = {
  ...{ name: 'a', pid: undefined, status: undefined, absence: 'dead' },
  ...{ clients: '127.0.0.1:26044', control: '127.0.0.1:21500' },
  absenceReason: 'dead (pid 101 ended: SIGKILL)',
}

const config = configSchema.parse({
  ...{ name: 'a', pair: 'up-x', told: 'primary', dir: '.colo', control: '127.0.0.1:21500' },
  ...{ data: '127.0.0.1:1', clients: '127.0.0.1:26044', peer: '127.0.0.1:25145' },
  ...{ guest: "it's kv.wasm", memoryBytes: 64 * 2 ** 20, witness: 'file:w folder' },
  ...{ log: 'a.log', record: 'rec', tokenFile: 'token', advertiseData: 'h:2' },
  delays: { suspectMs: 800 },
})
const words = returnCommand(daemonArguments(config, '/somewhere'), 'secondary', '/nowhere')

const HINTS = [
  ['redis-cli -p 26044 incr visits', 'the guest is a service'],
  ['kill -9 101', 'the other side goes on, with every acknowledged write:'],
] as const

function viewOf(change: Partial<View> = {}): View {
  const sides = change.sides ?? [sideOf('a'), sideOf('b')]
  return {
    ...{ sides, whyNotProtected: undefined, comebacks: [], primary: sides[0]?.status },
    rates: { checkpoints: 12, bytes: 2048 },
    ...{ ageMs: 1000, writes: { acknowledged: 10, lost: 0 }, hints: HINTS },
    ...change,
  }
}

const WHY = 'a: dead (pid 101 ended: SIGKILL); b serves alone, and its death loses the guest'
const unprotected = viewOf({
  sides: [gone, sideOf('b', { role: 'primary', state: 'standalone' })],
  ...{ whyNotProtected: WHY, comebacks: [['a', words]], primary: statusOf('b', {}) },
})

const HIGH = 200
const draw = (view: View, columns: number, paint: Paint = plain, rows = HIGH) =>
  renderView(view, { columns, rows }, paint)

// oxlint-disable-next-line no-control-regex
const withoutColours = (text: string) => text.replaceAll(/\u001b\[[\d;]*m/g, '')

/** What a shell makes of the lines. */
function wordsOf(lines: readonly string[]): string[] {
  const script = `printf '%s\\n' ${lines.join('\n')}`
  return spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout.trimEnd().split('\n')
}

describe('a pair that is not protected', () => {
  it.each([20, 40, 60, 80, 120, 200])('says so, and why, at %i columns', (columns) => {
    const text = draw(unprotected, columns).join(' ').replaceAll(/\s+/g, ' ')
    expect(text).toContain(`NOT PROTECTED: ${WHY}`)
    expect(text).not.toContain('\u001B')
  })

  it('says so in red where there are colours, and in the same words', () => {
    const lines = draw(unprotected, 100, coloured)
    expect(lines.join('\n')).toContain('\u001B[1;31mNOT PROTECTED\u001B[0m')
    expect(lines.map(withoutColours)).toEqual(draw(unprotected, 100))
  })

  it.each([40, 60, 80, 200])('prints the command that brings the side back at %i', (columns) => {
    const lines = draw(unprotected, columns)
    const begin = lines.findIndex((line) => line.startsWith('a comes back by this command'))
    const end = lines.indexOf('', begin)
    const command = lines.slice(
      lines.findIndex((line, at) => at > begin && line.startsWith('  ')),
      end,
    )
    expect(wordsOf(command)).toEqual(wordsOf([words.join(' ')]))
  })

  it('prints it on a low terminal too', () => {
    const lines = draw(unprotected, 100, plain, 24)
    expect(lines.length).toBeLessThan(24)
    expect(lines.join('\n')).toContain('--peer 127.0.0.1:25145')
    expect(lines.at(-1)).toMatch(/^… \d+ more lines/)
  })
})

describe('the command that brings a side back', () => {
  it('is whole, with what was given, and quoted', () => {
    const given = wordsOf([words.join(' ')])
    expect(given.slice(given.indexOf('secondary'))).toEqual([
      ...['secondary', '--name', 'a', '--pair', 'up-x', '--dir', '/somewhere/.colo'],
      ...[
        '--token-file',
        '/somewhere/token',
        '--log',
        '/somewhere/a.log',
        '--control',
        '127.0.0.1:21500',
      ],
      ...['--data', '127.0.0.1:1', '--clients', '127.0.0.1:26044', '--peer', '127.0.0.1:25145'],
      ...['--advertise-data', 'h:2', '--guest', "/somewhere/it's kv.wasm", '--memory', '64MiB'],
      ...['--dirty', 'auto', '--witness', 'file:/somewhere/w folder', '--failback', 'auto'],
      ...['--record', '/somewhere/rec', '--suspect-ms', '800'],
    ])
  })

  it('is one that colo takes', () => {
    const given = daemonArguments(config, '/somewhere').filter((word) => word.startsWith('--'))
    const secondary = makeProgram().commands.find((command) => command.name() === 'secondary')
    const known = secondary?.options.map(({ long }) => long)
    expect(given.filter((word) => !known?.includes(word))).toEqual([])
  })
})

describe('a protected pair', () => {
  it('says so, and has its pids and addresses', () => {
    const text = draw(viewOf(), 150).join('\n')
    expect(text).not.toContain('NOT PROTECTED')
    expect(text).toMatch(/^a +primary +protected +101 +127\.0\.0\.1:26044 +12 /m)
    expect(text).toMatch(/^b +secondary +protected +102 /m)
    expect(text).toContain('reason')
  })

  it.each([30, 40, 60, 80, 100, 150])('fits %i columns, and leaves no stage out', (columns) => {
    const lines = draw(viewOf(), columns)
    const long = lines.filter((line) => line.length >= columns)
    // A command is not broken: it is there to be copied.
    expect(long.filter((line) => !/redis-cli|kill -9/.test(line))).toEqual([])
    const text = lines.join('\n')
    for (const stage of STAGE_NAMES) expect(text).toContain(stage)
    expect(text.split('123/1235').length - 1).toBe(STAGE_NAMES.length + 1)
  })

  it('names the columns for which there is no room', () => {
    const text = draw(viewOf(), 60).join('\n')
    expect(text).toMatch(/\(no room for: .*control at.*reason/)
    expect(text).toMatch(/^side +role +state +pid/m)
  })

  it.each([5, 10, 24, 40])(
    'takes no more than %i rows, also of words that are too long',
    (rows) => {
      const hints = [['x'.repeat(300), 'a long word']] as const
      const lines = draw(viewOf({ hints }), 60, plain, rows)
      expect(lines.reduce((sum, line) => sum + rowsOf(line, 60), 0)).toBeLessThan(rows)
    },
  )

  it('keeps what a peer says from steering the terminal', () => {
    const view = viewOf({ whyNotProtected: 'a is halted: \u001B[2J' })
    expect(draw(view, 80).join('\n')).not.toContain('\u001B')
    const named = viewOf({ sides: [sideOf('a', { reason: '\u001B[2J' }), sideOf('b')] })
    expect(draw(named, 200).join('\n')).not.toContain('\u001B')
  })
})

describe('colours', () => {
  it('are there for each state', () => {
    for (const state of STATE_NAMES) expect(colourOf(state)).toBe(STATE_COLOURS[state])
    expect(colourOf('protected')).toBe('green')
    expect(colourOf('standalone')).toBe('yellow')
    expect(colourOf('dead')).toBe('red')
    expect(colourOf('toString')).toBeUndefined()
  })

  it('are for a terminal whose user wants them', () => {
    expect(paintFor({ isTTY: true }, {})).toBe(coloured)
    expect(paintFor({ isTTY: true }, { NO_COLOR: '' })).toBe(coloured)
    expect(paintFor({ isTTY: true }, { NO_COLOR: '1' })).toBe(plain)
    expect(paintFor({ isTTY: true }, { TERM: 'dumb' })).toBe(plain)
    expect(paintFor({ isTTY: false }, {})).toBe(plain)
    expect(paintFor({}, {})).toBe(plain)
  })

  it('stand on the state, and change no width', () => {
    const columns = [
      { title: 'side', cells: ['dead', 'b'] },
      { title: 'state', cells: ['dead', 'protected'], isState: true },
      { title: 'x', cells: ['1', '2'] },
    ]
    const [, first, second] = fitTable(columns, 80, coloured).lines
    expect(first).toBe('dead  \u001B[31mdead\u001B[0m       1')
    expect(second).toBe('b     \u001B[32mprotected\u001B[0m  2')
  })
})

describe('lines', () => {
  it('are broken between words', () => {
    expect(wrapWords('one two three', 8, '  ')).toEqual(['one two', '  three'])
    expect(wrapWords('onetwothree x', 5)).toEqual(['onetwothree', 'x'])
    expect(wrapWords('', 5)).toEqual([''])
  })

  it('of a command go on behind a backslash', () => {
    expect(wrapCommand(['colo', 'x', '--name', 'a', '--new'], 14)).toEqual([
      ...['  colo x \\', '    --name a \\', '    --new'],
    ])
  })
})

describe('the reason why a pair is not protected', () => {
  const side = (name: string, change: Partial<Status> = {}): SideSeen => ({
    name,
    status: statusOf(name, change),
  })

  it('is none where both sides say so of one generation', () => {
    expect(whyNotProtected([side('a'), side('b')])).toBeUndefined()
    expect(whyNotProtected([side('a')])).toBeUndefined()
  })

  it.each<[readonly SideSeen[], RegExp]>([
    [[], /no side answers/],
    [
      [side('a'), { name: 'b', status: undefined, absence: 'no answer for 3.0 s' }],
      /^b: no answer/,
    ],
    [[side('a', { state: 'seeding', reason: 'copying' }), side('b')], /^a is seeding: copying/],
    [[side('a', { state: 'standalone' }), side('b', { state: 'connecting' })], /^a serves alone/],
    [[side('a', { state: 'halted', reason: 'lost' })], /^a is halted: lost/],
    [[side('a'), side('b', { generation: 13 })], /do not agree yet/],
    [[side('a'), side('b', { role: 'primary' })], /do not agree yet/],
  ])('%#', (sides, sentence) => {
    expect(whyNotProtected(sides)).toMatch(sentence)
  })
})
