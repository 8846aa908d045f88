// The numbers and habits that keep the source readable, and the tables that must not rot: no row of DELAYS,
// LIMITS or ERRORS that nothing uses. Each exemption is named with its reason, and fails once it is not needed.

import { basename } from 'node:path'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DELAY_NAMES } from '../../shared/protocol/delays.ts'
import { ERRORS } from '../../shared/protocol/errors.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { ROOT } from '../machines/reviewed.ts'
import { ALL_FILES, codeOf, PRODUCT, SOURCES, textOf } from './sources.ts'

const LINES_MAX = 300
const FUNCTION_LINES_MAX = 70
const COLUMNS_MAX = 100

/** Longer than a file should be, with the most that each may have. */
const LONG_FILES: Readonly<Record<string, { readonly lines: number; readonly why: string }>> = {
  'primary/primary.ts': { lines: 560, why: 'one door of many short methods, a world event each' },
  'secondary/secondary.ts': {
    lines: 490,
    why: 'one door of many short methods, a world event each',
  },
  'side/side.ts': {
    lines: 370,
    why: 'one door of many short methods, a world event or a verb each',
  },
  'secondary/machine.ts': { lines: 330, why: 'a table: the statechart' },
}

/** Functions that are one table: a short entry for each name. */
const TABLE_FUNCTIONS = ['primaryEffects', 'secondaryEffects']

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types|index|misc|lib)\.\w+$/

interface FunctionLines {
  readonly name: string
  readonly lines: number
}

/** The sources are formatted, so that a function ends at the first `}` that stands where its line began. */
function functionsOf(path: string): FunctionLines[] {
  const lines = textOf(path).split('\n')
  return lines.flatMap((line, first) => {
    const [, indent, name] =
      /^( *)(?:export )?(?:async )?(?:function |static |get |set |readonly |const )*([#\w]+)\b.*[)>\w] (?:=> )?\{$/.exec(
        line,
      ) ?? []
    if (
      name === undefined ||
      /^(if|for|while|switch|else|class|interface|type|return|try)$/.test(name)
    ) {
      return []
    }
    if (!line.includes('(') || /\b(class|interface)\b/.test(line)) return []
    const length = lines.slice(first + 1).findIndex((one) => one.startsWith(`${indent}}`))
    return length < 0 ? [] : [{ name, lines: length + 2 }]
  })
}

const isTestBlock = (name: string) => /^(describe|test)$/.test(name)

/** The words are put together here, so that this file does not name what it looks for. */
const MACHINE_PATHS = new RegExp(
  [
    `/${'work'}/`,
    `/${'home'}/\\w`,
    `/${'Users'}/\\w`,
    `/${'root'}/`,
    `[A-Z]:\\\\\\\\?${'Users'}`,
  ].join('|'),
)

const isText = (path: string) => !readFileSync(join(ROOT, path)).subarray(0, 8192).includes(0)

describe('files', () => {
  test('have names that say what is in them, in kebab-case', () => {
    const wrong = SOURCES.filter(
      (path) =>
        FORBIDDEN_NAMES.test(basename(path)) ||
        !/^[a-z0-9-]+(\.test)?\.ts$/.test(basename(path)) ||
        path
          .split('/')
          .slice(0, -1)
          .some((folder) => FORBIDDEN_NAMES.test(`${folder}.ts`)),
    )
    expect(wrong).toEqual([])
  })

  test(`have at most ${LINES_MAX} lines, but for those that are listed`, () => {
    const long = SOURCES.flatMap((path) => {
      const lines = textOf(path).trimEnd().split('\n').length
      return lines > (LONG_FILES[path]?.lines ?? LINES_MAX) ? [`${path}: ${lines} lines`] : []
    })
    expect(long).toEqual([])
    for (const path of Object.keys(LONG_FILES)) {
      expect({ path, isLong: textOf(path).trimEnd().split('\n').length > LINES_MAX }).toEqual({
        path,
        isLong: true,
      })
    }
  })

  test('begin with a comment that says why they are there', () => {
    const wrong = SOURCES.filter((path) => !/^(#!.*\n)?\/\/ \S/.test(textOf(path)))
    expect(wrong).toEqual([])
  })

  test('have no default exports and hand nothing on from other files', () => {
    const wrong = SOURCES.filter((path) =>
      /^export (default|\*|(type )?\{[^}]*\} from)/m.test(codeOf(path)),
    )
    expect(wrong).toEqual([])
  })

  test('name no folder of the machine on which they were written', () => {
    const wrong = ALL_FILES.filter((path) => isText(path)).flatMap((path) =>
      textOf(path)
        .split('\n')
        .flatMap((line, at) =>
          MACHINE_PATHS.test(line) ? [`${path}, line ${at + 1}: ${line}`] : [],
        ),
    )
    expect(wrong).toEqual([])
  })

  test(`keep code within ${COLUMNS_MAX} columns`, () => {
    const wrong = SOURCES.flatMap((path) =>
      textOf(path)
        .split('\n')
        .flatMap((line, at) => {
          // A comment or a text that can't be broken may be a little longer.
          const isProse = /^\s*(\/\/|\*|\/\*\*)|['"`]/.test(line)
          return line.length > (isProse ? 160 : COLUMNS_MAX) ? [`${path}, line ${at + 1}`] : []
        }),
    )
    expect(wrong).toEqual([])
  })
})

test(`functions have at most ${FUNCTION_LINES_MAX} lines`, () => {
  const all = SOURCES.flatMap((path) => functionsOf(path).map((one) => ({ path, ...one })))
  expect(all.length).toBeGreaterThan(500)
  const long = all.filter(({ name, lines }) => lines > FUNCTION_LINES_MAX && !isTestBlock(name))
  const wrong = long.filter(({ name }) => !TABLE_FUNCTIONS.includes(name))
  expect(wrong.map(({ path, name, lines }) => `${path}: ${name}, ${lines} lines`)).toEqual([])
  expect(long.map(({ name }) => name)).toEqual(expect.arrayContaining(TABLE_FUNCTIONS))
})

describe('tables', () => {
  const using = (table: string) =>
    PRODUCT.filter((path) => path !== `shared/protocol/${table}.ts`).map(textOf)

  test.each([
    ['delays', DELAY_NAMES],
    ['limits', Object.keys(LIMITS)],
  ])('every row of %s is used', (table, names) => {
    const texts = using(table)
    const unused = names.filter(
      (name) => !texts.some((text) => new RegExp(`\\b${name}\\b`).test(text)),
    )
    expect(unused).toEqual([])
  })

  test('every row of errors is used', () => {
    const texts = using('errors')
    const unused = Object.keys(ERRORS).filter(
      (code) => !texts.some((text) => text.includes(`'${code}'`)),
    )
    expect(unused).toEqual([])
  })
})
