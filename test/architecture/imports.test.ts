// Which folder may import which: the layers stand in a list, and each imports only layers above it and itself. Two
// that must never import each other say so. Pure layers use no Node, no clock and no random source: shared/ports.ts
// gives them all three.

import { describe, expect, test } from 'vitest'
import { codeOf, importsOf, PRODUCT, SOURCES } from './sources.ts'

interface Layer {
  readonly name: string
  readonly files: RegExp
  readonly isPure: boolean
  /** The packages that it may use. */
  readonly packages: readonly string[]
  /** Layers above it that it must not import all the same. */
  readonly never?: readonly string[]
}

const pure = (name: string, files: RegExp, packages: readonly string[] = []): Layer => ({
  name,
  files,
  isPure: true,
  packages,
})

const worldly = (name: string, files: RegExp, packages: readonly string[] = []): Layer => ({
  name,
  files,
  isPure: false,
  packages,
})

/** A layer imports only layers that stand before it. */
const LAYERS: readonly Layer[] = [
  pure('bytes', /^formats\/bytes\//),
  pure('wasm', /^formats\/wasm\//),
  pure('zstd', /^formats\/zstd\//),
  pure('xen', /^formats\/xen\/[^/]+$/),
  pure('verify', /^formats\/xen\/verify\//),
  { ...pure('qemu-file', /^formats\/qemu\/file\//), never: ['verify'] },
  { ...pure('vmstate', /^formats\/qemu\/vmstate\//), never: ['verify'] },
  { ...pure('description', /^formats\/qemu\/description\//), never: ['verify'] },
  { ...pure('stream', /^formats\/qemu\/stream\//), never: ['verify'] },
  { ...pure('qemu-trace', /^formats\/qemu\/trace\//), never: ['verify'] },
  { ...pure('ber', /^formats\/ber\//), never: ['verify'] },
  pure('protocol', /^shared\/protocol\//, ['zod']),
  pure('guest', /^shared\/(guest|poison)\.ts$/),
  pure('memory', /^shared\/memory\//),
  pure('ports', /^shared\/ports\.ts$/),
  pure('failover', /^shared\/failover\//),
  pure('role', /^shared\/role\//),
  pure('primary', /^primary\//, ['xstate']),
  { ...pure('secondary', /^secondary\//, ['xstate']), never: ['primary'] },
  pure('side', /^side\//),
  pure('guest-abi', /^keepers\/wasm\/abi\//),
  pure('dirty-log', /^keepers\/wasm\/dirty-log\//),
  worldly('wasm-keeper', /^keepers\/wasm\/[^/]+$/),
  worldly('terminal', /^terminal\//, ['commander']),
  worldly('network', /^network\//, ['ws', 'zod']),
  worldly('witnesses', /^witnesses\//),
  worldly('telemetry', /^telemetry\//),
  worldly('daemon', /^daemon\//, ['pino', 'zod']),
  worldly('tools', /^tools\//),
  worldly('cli', /^cli\//, ['commander', 'zod']),
  worldly('bench', /^bench\//, ['asn1js', 'zod']),
  worldly('test', /^test\//, [
    '@bokuweb/zstd-wasm',
    'asn1js',
    'fast-check',
    'ioredis',
    'rolldown/parseAst',
    'vitest',
    'ws',
    'xstate',
    'xstate/graph',
    'yaml',
    'zod',
  ]),
]

const layerOf = (path: string) => LAYERS.find(({ files }) => files.test(path))

/** What a pure layer must not name: Node's globals, clocks, chance, and whatever makes things asynchronous. */
const WORLD_NAMES = [
  ...['Buffer', 'process', 'globalThis', 'console', 'require', 'fetch', 'crypto', 'performance'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Date', 'WebSocket', 'Worker'],
  ...['Promise', 'async', String.raw`await(?=\s+[\w(])`, String.raw`Math\.random`],
]

/** A name that stands alone: the clock of ports.ts is called through an object, and a key has a colon. */
const WORLD = new RegExp(String.raw`(?<![.#\w])(${WORLD_NAMES.join('|')})\b(?!\s*:)`, 'g')

describe('the layers', () => {
  test('every source is in one', () => {
    expect(SOURCES.filter((path) => layerOf(path) === undefined)).toEqual([])
    expect(PRODUCT.length).toBeGreaterThan(50)
    for (const { name, files } of LAYERS) {
      expect({ name, files: SOURCES.some((path) => files.test(path)) }).toEqual({
        name,
        files: true,
      })
    }
  })

  test.each(LAYERS)('$name imports only what stands before it', (layer) => {
    const wrong: string[] = []
    const place = LAYERS.indexOf(layer)
    for (const path of SOURCES.filter((one) => layerOf(one) === layer)) {
      for (const { to } of importsOf(path).filter(({ to: target }) => target.includes('.ts'))) {
        const other = layerOf(to)
        const isBefore = other !== undefined && LAYERS.indexOf(other) <= place
        if (!isBefore || layer.never?.includes(other.name)) wrong.push(`${path} imports ${to}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test.each(LAYERS)('$name uses only its packages', (layer) => {
    const wrong: string[] = []
    for (const path of SOURCES.filter((one) => layerOf(one) === layer)) {
      for (const { to } of importsOf(path).filter(({ to: target }) => !target.includes('.ts'))) {
        const isNode = to.startsWith('node:')
        if (isNode ? layer.isPure : !layer.packages.includes(to))
          wrong.push(`${path} imports ${to}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('the ports are types only: a file that imports them loads nothing else', () => {
    expect(importsOf('shared/ports.ts').filter(({ isTypeOnly }) => !isTypeOnly)).toEqual([])
    expect(codeOf('shared/ports.ts')).not.toMatch(/\b(const|let|function|class|enum)\b/)
  })

  test.each(LAYERS.filter(({ isPure }) => isPure))('$name knows nothing of the world', (layer) => {
    const wrong: string[] = []
    for (const path of SOURCES.filter((one) => layerOf(one) === layer)) {
      for (const [index, line] of codeOf(path).split('\n').entries()) {
        const words = line.match(WORLD) ?? []
        const declared = path === 'shared/ports.ts' && /^\s+setTimeout\(/.test(line)
        if (words.length > 0 && !declared)
          wrong.push(`${path}, line ${index + 1}: ${words.join(', ')}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('shared/', () => {
  const USERS = ['primary', 'secondary', 'side', 'network', 'keepers', 'daemon', 'test/simulation']

  const importers = new Map<string, string[]>()
  for (const from of SOURCES) {
    for (const { to } of importsOf(from)) importers.set(to, [...(importers.get(to) ?? []), from])
  }

  /** The folders that use a file, directly or through files of shared/. */
  function usersOf(path: string, seen = new Set([path])): Set<string> {
    const users = new Set<string>()
    for (const from of importers.get(path) ?? []) {
      const user = USERS.find((folder) => from.startsWith(`${folder}/`))
      if (user !== undefined) users.add(user)
      if (!from.startsWith('shared/') || seen.has(from)) continue
      seen.add(from)
      for (const one of usersOf(from, seen)) users.add(one)
    }
    return users
  }

  test('has only what two of its users need', () => {
    const shared = PRODUCT.filter((path) => path.startsWith('shared/'))
    expect(shared.filter((path) => usersOf(path).size < 2)).toEqual([])
  })
})
