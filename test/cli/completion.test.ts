// The scripts of `colo completion` in the shells that they are for: what a person sees who types the beginning of a
// command line and presses Tab. bash and zsh have a real terminal for that; fish tells what it would offer.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allVerbs, PLACEHOLDERS, wordsOf } from '../../cli/completion/command-words.ts'
import { makeProgram } from '../../cli/program.ts'
import { until } from '../integration/pair.ts'
import { inFolder, inside } from './command.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const runs = (command: string, ...args: string[]) => spawnSync(command, args).status === 0
const HAS_SCRIPT = runs('script', '--version')
const HAS: Readonly<Record<Shell, boolean>> = {
  bash: runs('bash', '--version'),
  zsh: runs('zsh', '--version'),
  fish: runs('fish', '--version'),
}

const words = wordsOf(makeProgram())

interface Line {
  readonly typed: string
  /** What is offered, or put in its place; all of it. */
  readonly offers: readonly string[]
}

/** Below a folder with the files `guest.wasm` and `guest two.wasm` and the folder `guests`. */
const LINES: readonly Line[] = [
  { typed: 'st', offers: ['start-over', 'status', 'stop'] },
  { typed: 'status --fo', offers: ['--format'] },
  { typed: 'status --format ', offers: ['json', 'text'] },
  { typed: 'status -f ', offers: ['json', 'text'] },
  { typed: 'status --format=j', offers: ['json'] },
  { typed: 'up --witness ', offers: ['file', 'none', 'operator'] },
  { typed: 'up --format json --hang', offers: ['--hang', '--hang-for'] },
  { typed: 'up --suspect', offers: ['--suspect-ms'] },
  { typed: 'guest ', offers: ['help', 'inspect', 'rewrite'] },
  { typed: 'guest inspect --mem', offers: ['--memory'] },
  { typed: 'guest inspect guest', offers: ['guest two.wasm', 'guest.wasm', 'guests/'] },
  { typed: 'up --guest guest.', offers: ['guest.wasm'] },
  { typed: 'up --record gue', offers: ['guests/'] },
  { typed: 'verify --form ', offers: ['auto', 'back', 'colo', 'libxc', 'libxl', 'remus', 'xl'] },
  { typed: 'completion ', offers: ['bash', 'fish', 'zsh'] },
  { typed: 'help pau', offers: ['pause'] },
]

it('takes each word that stands for a value from a table', () => {
  const program = makeProgram()
  const all = program.commands.flatMap((command) => [command, ...command.commands])
  const named = all.flatMap(({ options, registeredArguments }) => [
    ...options
      .filter(({ argChoices, required }) => required && argChoices === undefined)
      .map(({ flags }) => /<([^>]+)>/.exec(flags)?.[1] ?? flags),
    ...registeredArguments
      .filter(({ argChoices }) => argChoices === undefined)
      .map((operand) => operand.name()),
  ])
  expect([...new Set(named)].filter((name) => !Object.hasOwn(PLACEHOLDERS, name))).toEqual([])
})

it('knows what the command line has, and not the option for daemons that have a parent', () => {
  const inspect = allVerbs(words).find(({ path }) => path.join(' ') === 'guest inspect')
  expect(inspect?.options.flatMap(({ names }) => names)).toEqual([
    ...['--memory', '-f', '--format', '-h', '--help'],
  ])
  const primary = words.verbs.find(({ path }) => path[0] === 'primary')
  expect(primary?.options.flatMap(({ names }) => names)).not.toContain('--with-parent')
})

it.each(SHELLS)('the script for %s has every verb and every option', async (shell) => {
  const { code, stdout } = await inside('completion', shell)
  expect(code).toBe(0)
  for (const { path, options } of allVerbs(words)) {
    expect(stdout).toContain(path.at(-1) ?? '')
    for (const { names } of options) expect(stdout).toContain(names.at(-1)?.replace('--', ''))
  }
})

it('a shell that there is no script for is refused', async () => {
  const { code, stderr } = await inside('completion', 'ksh')
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('Allowed choices are bash, zsh, fish'),
  ])
})

const PROMPT = 'PROMPT> '
const KILL_LINE = '\u0015'
const BACKSPACE = '\u0008'

/** What makes a shell list its offers plainly, and completes without a question. */
const RC: Readonly<Record<'bash' | 'zsh', readonly string[]>> = {
  bash: [
    ...['completion-display-width 0', 'show-all-if-ambiguous on', 'enable-bracketed-paste off'].map(
      (setting) => `bind 'set ${setting}'`,
    ),
    `PS1='${PROMPT}'`,
  ],
  zsh: [
    'autoload -U compinit; compinit -u -D',
    "unsetopt AUTO_MENU BEEP; zstyle ':completion:*' verbose no; unset zle_bracketed_paste",
    `PS1='${PROMPT}'`,
  ],
}

/** A shell on a terminal of its own, as `script` makes one. */
class Terminal {
  readonly #process: ChildProcess
  #seen = ''

  constructor(shell: 'bash' | 'zsh', folder: string, script: string) {
    const rc = join(folder, shell === 'bash' ? 'rc' : '.zshrc')
    writeFileSync(join(folder, 'colo.script'), script)
    writeFileSync(rc, [...RC[shell], 'source ./colo.script', ''].join('\n'))
    const start = shell === 'bash' ? `bash --noprofile --rcfile rc -i` : 'zsh -d -i'
    const env = { ...process.env, TERM: 'dumb', HOME: folder, ZDOTDIR: folder }
    const sized = `stty cols 200 rows 50; exec ${start}`
    this.#process = spawn('script', ['-qec', sized, '/dev/null'], { cwd: folder, env })
    this.#process.stdout?.on('data', (bytes: Buffer) => (this.#seen += bytes.toString()))
  }

  async #sees<T>(what: string, read: (seen: string) => T | undefined): Promise<T> {
    return until(what, () => read(this.#seen)).catch((error: unknown) => {
      throw new Error(`${String(error)}; it shows ${JSON.stringify(this.#seen)}`)
    })
  }

  async starts(): Promise<void> {
    await this.#sees('a prompt', (seen) => (seen.includes(PROMPT) ? true : undefined))
  }

  /** The offers for a line that begins so: several as they are listed, a single one as it is put into the line. */
  async offersFor(typed: string, count: number): Promise<string[]> {
    this.#seen = ''
    this.#process.stdin?.write(`${KILL_LINE}colo ${typed}\t`)
    if (count > 1) {
      const end = `\n${PROMPT}colo ${typed}`
      return this.#sees(`a list for ${typed}`, (seen) => {
        const [listed, again] = seen.split(end)
        if (again === undefined || listed === undefined) return undefined
        const list = listed.slice(listed.indexOf('\n') + 1)
        return list
          .split(/\r?\n| {2,}/)
          .map(nameOf)
          .filter((word) => word !== '')
          .toSorted()
      })
    }
    // Behind the last carriage return stands the line as it is now.
    const whole = `colo ${typed}`
    const line = await this.#sees(`the rest of ${typed}`, (seen) => {
      const last = seen.slice(Math.max(seen.lastIndexOf('\r'), seen.lastIndexOf(BACKSPACE)) + 1)
      const at = last.indexOf(whole)
      return at >= 0 && last.length > at + whole.length
        ? last.slice(at + 'colo '.length)
        : undefined
    })
    const begin = Math.max(typed.lastIndexOf(' '), typed.lastIndexOf('=')) + 1
    return [nameOf(line.slice(begin))]
  }

  end(): void {
    this.#process.kill('SIGKILL')
  }
}

/** Without what a shell sets behind an option, and before a blank in a name. */
const nameOf = (word: string) => word.trim().replace(/=$/, '').replaceAll(/\\(.)/g, '$1')

async function scriptFor(shell: Shell, folder: string): Promise<string> {
  for (const name of ['guest.wasm', 'guest two.wasm']) writeFileSync(join(folder, name), '')
  mkdirSync(join(folder, 'guests'))
  return (await inside('completion', shell)).stdout
}

describe.each(['bash', 'zsh'] as const)('in %s', (shell) => {
  const isHere = HAS_SCRIPT && HAS[shell]

  it.skipIf(!isHere)(`Tab completes (needs ${shell} and script)`, async () => {
    await inFolder(async (folder) => {
      const terminal = new Terminal(shell, folder, await scriptFor(shell, folder))
      try {
        await terminal.starts()
        for (const { typed, offers } of LINES) {
          const found = await terminal.offersFor(typed, offers.length)
          expect({ typed, offers: found }).toEqual({ typed, offers: offers.toSorted() })
        }
      } finally {
        terminal.end()
      }
    })
  })
})

describe('in fish', () => {
  it.skipIf(!HAS.fish)('Tab completes (needs fish)', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'colo.script'), await scriptFor('fish', folder))
      for (const { typed, offers } of LINES) {
        const ask = `source ./colo.script; complete -C 'colo ${typed}'`
        const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', ask], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, HOME: folder },
        })
        const found = stdout
          .split('\n')
          .map((line) => nameOf(line.split('\t')[0] ?? '').replace(/^--\w+=/, ''))
          .filter((word) => word !== '')
        expect({ typed, offers: found.toSorted(), stderr }).toEqual({
          ...{ typed, offers: offers.toSorted(), stderr: '' },
        })
      }
    })
  })
})
