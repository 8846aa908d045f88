// Arguments of a verb that is a table: what is read quickly means the same to commander, and what is wrong is left
// to it.

import { describe, expect, it } from 'vitest'
import { convertVerb } from '../../cli/convert.ts'
import { decodeVerb } from '../../cli/decode.ts'
import { flattenVerb } from '../../cli/flatten.ts'
import { makeProgram } from '../../cli/program.ts'
import { verifyVerb } from '../../cli/verify.ts'
import { addVerb } from '../../cli/verb-command.ts'
import { readPlainly, type Verb } from '../../terminal/verb-table.ts'

interface Read {
  readonly operands: readonly string[]
  readonly options: object
}

/** As commander reads it. Throws what it says of it. */
async function byCommander(verb: Verb, argv: readonly string[]): Promise<Read> {
  let read: Read | undefined
  const program = makeProgram()
    .createCommand('colo')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  const run = (operands: readonly string[], options: object) => {
    read = { operands, options: { ...options } }
    return Promise.resolve()
  }
  addVerb(program, { ...verb, run })
  await program.parseAsync([verb.name, ...argv], { from: 'user' })
  if (read === undefined) throw new Error('nothing was run')
  return read
}

const words = (text: string) => text.split(' ')

describe('a lesson', () => {
  const verbs = [verifyVerb, decodeVerb, convertVerb, flattenVerb]
  const examples = verbs.flatMap((verb) => {
    return verb.lesson.examples.flatMap(([line]) => {
      const [, text] = line.split(`colo ${verb.name} `)
      return text === undefined ? [] : [[verb, text] as const]
    })
  })

  it.each(examples)('shows what the verb takes: $0.name $1', (verb, text) => {
    expect(readPlainly(verb, words(text))).toBeDefined()
  })

  it('is there for each verb', () => {
    expect(new Set(examples.map(([verb]) => verb))).toEqual(new Set(verbs))
  })
})

describe('plain arguments', () => {
  it.each<[Verb, string]>([
    [verifyVerb, 'x'],
    [verifyVerb, '-'],
    [verifyVerb, '--form back --with-forward a b'],
    [verifyVerb, '--form colo x -q --all --format json'],
    [verifyVerb, '--annotate PAGE_DATA'],
    [decodeVerb, 'x --state -f json'],
    [decodeVerb, 'x --at 0x10 --desc-from y'],
    [decodeVerb, '--channel a x --channel b --page-size 0x1000'],
    [decodeVerb, 'x --checkpoint 3 --diff-checkpoint 4'],
    [convertVerb, '--to ber a b'],
    [convertVerb, 'a - --to binary --page-size 8192 --definite'],
    [flattenVerb, 'a b'],
  ])('%#: %s', async (verb, text) => {
    const plain = readPlainly(verb, words(text))
    expect(plain).toBeDefined()
    expect(plain).toEqual(await byCommander(verb, words(text)))
  })
})

describe('arguments that somebody should explain', () => {
  it.each<[Verb, string, RegExp]>([
    [verifyVerb, '-f xml x', /Allowed choices are text, json\.$/],
    [
      verifyVerb,
      '-f back x',
      /Allowed choices are text, json \(back is for --form: --form back\)\.$/,
    ],
    [verifyVerb, '--form xml x', /Allowed choices are auto/],
    [verifyVerb, 'x --format', /argument missing/],
    [verifyVerb, 'a b', /too many arguments/],
    [verifyVerb, '--bogus x', /unknown option/],
    [verifyVerb, '--like-xen --with-forward a b', /cannot be used with option '--with-forward/],
    [verifyVerb, '--annotate END --format json', /cannot be used with option '-f, --format/],
    [decodeVerb, '--state', /missing required argument 'file'/],
    [decodeVerb, 'x --state --trace', /cannot be used with option '--trace'/],
    [decodeVerb, 'x --at y', /"y" is no whole number/],
    [decodeVerb, 'x --at -1', /no whole number/],
    [decodeVerb, 'x --page-size 5000', /a power of 2/],
    [convertVerb, 'a b', /required option '--to/],
    [convertVerb, '--to ber a b --page-size 512', /a power of 2/],
    [flattenVerb, 'a', /missing required argument 'out'/],
  ])('%#: %s', async (verb, text, rule) => {
    expect(readPlainly(verb, words(text))).toBeUndefined()
    await expect(byCommander(verb, words(text))).rejects.toThrow(rule)
  })

  it.each<[Verb, string]>([
    [verifyVerb, '--form=xl x'],
    [verifyVerb, '-fjson x'],
    [verifyVerb, '-- -x'],
    [decodeVerb, '--format=json x'],
  ])('but mean something %#', async (verb, text) => {
    expect(readPlainly(verb, words(text))).toBeUndefined()
    expect((await byCommander(verb, words(text))).operands).toHaveLength(1)
  })
})
