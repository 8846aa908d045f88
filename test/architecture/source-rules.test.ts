// The numbers and habits that keep the source readable, and the tables that must not rot: no row of DELAYS,
// LIMITS or ERRORS that nothing uses. Each exemption is named with its reason, and fails once it is not needed.

import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DELAY_NAMES } from '../../shared/protocol/delays.ts'
import { ERRORS } from '../../shared/protocol/errors.ts'
import { LIMITS } from '../../shared/protocol/limits.ts'
import { ROOT } from '../machines/reviewed.ts'
import { ALL_FILES, codeOf, PRODUCT, SOURCES, textOf } from './sources.ts'

const LINES_MAX = 300
const FUNCTION_LINES_MAX = 70

/** Longer than a file should be, with the most that each may have. */
const LONG_FILES: Readonly<Record<string, { readonly lines: number; readonly why: string }>> = {
  'primary/primary.ts': { lines: 438, why: 'one object of many short methods, a world event each' },
  'secondary/secondary.ts': {
    lines: 424,
    why: 'one object of many short methods, a world event each',
  },
  'side/side.ts': {
    lines: 365,
    why: 'one object of many short methods, a world event or a verb each',
  },
  'primary/machine.ts': { lines: 352, why: 'a table: the statechart' },
  'secondary/machine.ts': { lines: 378, why: 'a table: the statechart' },
}

/** Functions that are one table: a short entry for each name. */
const TABLE_FUNCTIONS = ['primaryEffects', 'secondaryEffects', 'watchPrimary', 'watchSecondary']

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types|index|misc|lib)\.\w+$/

interface FunctionLines {
  readonly name: string
  readonly lines: number
}

const FUNCTION_HEADS: readonly RegExp[] = [
  /^( *)(?:export )?(?:async )?function (\w+)/,
  /^( *)(?:export )?(?:readonly |const )([#\w]+)\b.* =>(?: \(?)?\{$/,
  /^( *)(?:static |async |get |set )*([#\w]+)\(.*\{$/,
  /^( *)(?:static |async )*([#\w]+)\($/,
]

const KEYWORD = /^(if|for|while|switch|catch|return|super)$/

/** The sources are formatted, so that a function ends at the first `}` that stands where its line began. */
function functionsOf(path: string): FunctionLines[] {
  const lines = textOf(path).split('\n')
  return lines.flatMap((line, first) => {
    const head = FUNCTION_HEADS.map((pattern) => pattern.exec(line)).find((match) => match !== null)
    if (!head || KEYWORD.test(head[2])) return []
    const rest = lines.slice(first + 1)
    // Parameters on lines of their own: a call looks alike but for what follows its `)`.
    const isCall =
      line.endsWith('(') && !rest.find((one) => one.startsWith(`${head[1]})`))?.endsWith('{')
    if (isCall) return []
    const length = rest.findIndex((one) => one.startsWith(`${head[1]}}`) && !one.endsWith('{'))
    return length < 0 ? [] : [{ name: head[2], lines: length + 2 }]
  })
}

const isTestBlock = (name: string) => /^(describe|test)$/.test(name)

/** The words are put together here, so that this file does not name what it looks for. */
const MACHINE_PATHS = new RegExp(
  ['work/', 'root/', String.raw`home/\w`, String.raw`Users/\w`].map((path) => `/${path}`).join('|'),
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
