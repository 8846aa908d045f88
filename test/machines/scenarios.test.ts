// Scenarios as text, after the data-driven tests of etcd's raft: a file of `> command` lines, each followed by
// what one real side then said to its world, in order, and by its state if that changed. The files are read by
// people and reviewed as diffs. UPDATE_SCENARIOS=1 writes what the code does now; without it a difference
// fails. Lines that begin with # are comments; `> scenario NAME` begins anew with a side that does not exist yet.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { expectReviewed, readReviewed, ROOT } from './reviewed.ts'
import { runCommand } from './scenario-commands.ts'
import { Script } from './script.ts'

const FOLDER = 'test/scenarios'

/** Files whose first line that is no comment is a command; the others are tables of other tests. */
const files = readdirSync(join(ROOT, FOLDER)).filter((name) =>
  /^(#.*\n|\n)*> /.test(readReviewed(`${FOLDER}/${name}`)),
)

/** The file as the code of now would write it. */
function rewritten(text: string): string {
  let script = new Script()
  const out: string[] = []
  let comments: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) comments.push(line)
    if (line === '' && out.length === 0) out.push(...comments.splice(0))
    if (!line.startsWith('> ')) continue
    const command = line.slice(2).trim()
    const begins = command.startsWith('scenario ')
    out.push(...(begins ? [''] : []), ...comments.splice(0), line)
    if (begins) script = new Script()
    else out.push(...answerTo(script, command).map((said) => `  ${said}`))
  }
  return `${[...out, ...comments].join('\n')}\n`
}

function answerTo(script: Script, command: string): string[] {
  try {
    return runCommand(script, command)
  } catch (error) {
    return [...script.take(), `THROWN: ${(error as Error).message}`]
  }
}

describe('scenarios', () => {
  // xstate's development build warns whenever one actor's action makes the machine of the next role.
  beforeAll(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
  })
  afterAll(() => {
    vi.restoreAllMocks()
  })

  test('there are some', () => {
    expect(files.length).toBeGreaterThan(5)
  })

  test.each(files)('%s', (name) => {
    const file = `${FOLDER}/${name}`
    const text = rewritten(readReviewed(file))
    expect(text, 'a command that is unknown or that the side did not survive').not.toContain(
      'THROWN',
    )
    expectReviewed(file, text)
  })
})
