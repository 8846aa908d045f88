// The documents say what the code does: their tables are those of the code, their links lead somewhere, and
// the commands and options that they tell people to type exist.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeProgram } from '../../cli/program.ts'
import { GUARDS } from '../../shared/failover/survival.ts'
import { ROOT, documents, generatedParts, readDocument, withTables } from './documents.ts'
import { TABLES, optionOf } from './tables.ts'

const COMMAND = 'npx tsc -b && node dist/test/docs/generate.js'
const DOCUMENTS = documents()

/** The heading as GitHub makes an anchor of it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '')

function anchorsOf(path: string): string[] {
  const headings = withoutCode(readDocument(path)).matchAll(/^#+ (.*)$/gm)
  return [...headings].map((match) => anchorOf(match[1] ?? ''))
}

function linksOf(path: string): string[] {
  const text = withoutCode(readDocument(path)).replaceAll(/`[^`]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
}

function brokenLinks(path: string): string[] {
  return linksOf(path).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(ROOT, target))) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
}

interface Verb {
  readonly name: string
  readonly options: readonly string[]
  readonly shown: readonly string[]
}

const VERBS: readonly Verb[] = makeProgram().commands.map((command) => ({
  name: command.name(),
  options: [
    // A verb that has verbs of its own has all of their options.
    ...[command, ...command.commands].flatMap(({ options }) =>
      options.flatMap(({ long, short }) => [long ?? '', short ?? '']),
    ),
    ...['--help', '-h'],
  ],
  shown: command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? ''),
}))

const optionsOf = (verb: string) => VERBS.find(({ name }) => name === verb)?.options ?? []

/** Every `colo VERB` of the text with what follows it on its line, or to the end of its code. */
function commandsIn(text: string): { verb: string; rest: string }[] {
  const joined = text.replaceAll(/\\\n\s*/g, '')
  return [...joined.matchAll(/(?<![\w./-])colo ([a-z][a-z-]*)([^\n`#|;&]*)/g)].map((match) => ({
    verb: match[1] ?? '',
    rest: match[2] ?? '',
  }))
}

const wordsOf = (rest: string) =>
  [...rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)].map(([word]) => word)

/** Named by the documents as the places of what is not built. */
const TO_COME = ['keepers/qemu/']

const ROOMS = 'shared|primary|secondary|side|daemon|cli|bench|test|docs|guests'
const PATH = new RegExp(String.raw`\`((?:${ROOMS})/[\w./-]*)`, 'g')

function missingFiles(text: string): string[] {
  const named = [...text.matchAll(PATH)].map((match) => match[1] ?? '')
  return named.filter((path) => !TO_COME.includes(path) && !existsSync(join(ROOT, path)))
}

describe.each(DOCUMENTS)('%s', (path) => {
  const text = readDocument(path)

  test('has the tables of the code', () => {
    expect(text, `differs from the code: ${COMMAND}`).toBe(withTables(text, TABLES))
  })

  test('has links that lead somewhere', () => {
    expect(brokenLinks(path)).toEqual([])
  })

  test('names files that there are', () => {
    expect(missingFiles(text)).toEqual([])
  })

  test('names verbs and options that the command line has', () => {
    const wrong = commandsIn(text).flatMap(({ verb, rest }) => {
      if (!VERBS.some(({ name }) => name === verb)) return [`colo ${verb}`]
      const unknown = wordsOf(rest).filter((word) => !optionsOf(verb).includes(word))
      return unknown.map((word) => `colo ${verb} ${word}`)
    })
    expect(wrong).toEqual([])
  })
})

test('every table of the code that can be printed is printed', () => {
  const printed = new Set(DOCUMENTS.flatMap((path) => generatedParts(readDocument(path))))
  expect([...printed].toSorted()).toEqual(Object.keys(TABLES).toSorted())
})

test('a document that differs is noticed', () => {
  const stale = '<!-- generated: rules -->\n\nold\n\n<!-- end -->'
  expect(withTables(stale, TABLES)).not.toBe(stale)
  expect(() => withTables(stale.replace('rules', 'nothing'), TABLES)).toThrow(/no table nothing/)
  expect(missingFiles('see `shared/nothing.ts`')).toEqual(['shared/nothing.ts'])
  expect(commandsIn('say `colo frobnicate --now`')).toEqual([
    { verb: 'frobnicate', rest: ' --now' },
  ])
})

describe('docs/operating.md', () => {
  const text = readDocument('docs/operating.md')
  const options = [...text.matchAll(/`(--[a-z][a-z-]*)/g)].map((match) => match[1] ?? '')

  test('names no option that no verb has', () => {
    const known = new Set(VERBS.flatMap((verb) => verb.options))
    expect(options.filter((option) => !known.has(option))).toEqual([])
  })

  test.each(['primary', 'secondary'])('explains every option of `colo %s`', (verb) => {
    const shown = VERBS.find(({ name }) => name === verb)?.shown ?? []
    expect(shown.length).toBeGreaterThan(10)
    expect(shown.filter((option) => !options.includes(option))).toEqual([])
  })

  test('explains every verb', () => {
    const named = new Set(commandsIn(text).map(({ verb }) => verb))
    expect(VERBS.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([])
  })

  test('spells the options of delays as the command line does', () => {
    expect(optionsOf('primary')).toContain(optionOf('claimHandicapMs'))
  })
})

test('docs/protocol.md explains every guard of the truth table', () => {
  const text = readDocument('docs/protocol.md')
  const explained = Object.keys(GUARDS).filter((name) => text.includes(`\n| \`${name}\` | `))
  expect(explained).toEqual(Object.keys(GUARDS))
})
