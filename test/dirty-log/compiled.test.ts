// The counters in C and Rust as their compilers make them, with and without optimisation and what the flags of
// features bring: each answers the same as it came, with the dirty log, and completed for a scan.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { completeModule } from '../../keepers/wasm/dirty-log/complete-module.ts'
import { addDirtyLog, isRewritten } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { inspectModule } from '../../keepers/wasm/abi/wasm-module.ts'
import {
  CLANG_MISSING,
  compileC,
  compileCounter,
  HAS_CLANG,
  HAS_RUST,
  RUST_MISSING,
} from '../guests/compilers.ts'
import { ForeignModule } from './foreign-module.ts'

const MEMORY_BYTES = 16 * 2 ** 20
const COLO_ABI = 'int COLO(colo_abi)(void) { return 1; }'

interface Outcome {
  readonly said: string
  readonly ram: Buffer
  readonly missed: number
  readonly changed: number
}

/** What a counter says to lines that are cut anywhere. */
function outcomeOf(bytes: Uint8Array, shift: number): Outcome {
  let said = ''
  const output = (one: ForeignModule) => (_: number, at: number, length: number) => {
    said += one.ram.toString('latin1', at, at + length)
    return undefined
  }
  const module = new ForeignModule(bytes, shift, { imports: { output } })
  let [missed, changed] = [0, 0]
  if (shift > 0) module.checkpoint()
  module.call('colo_open', 1)
  for (const text of ['one\ntwo', '\n', 'three\n'.repeat(120)]) {
    const at = module.call('colo_buffer', text.length)
    module.write(at, Buffer.from(text))
    module.call('colo_input', 1, at, text.length)
    if (shift === 0) continue
    const epoch = module.checkpoint()
    missed += epoch.missed
    changed += epoch.changed
  }
  return { said, ram: Buffer.from(module.ram), missed, changed }
}

function expectSameWork(file: string): void {
  const bytes = readFileSync(file)
  const plain = outcomeOf(bytes, 0)
  expect(plain.said).toBe(Array.from({ length: 122 }, (_, i) => `${i + 1}\n`).join(''))
  const facts = inspectModule(bytes, MEMORY_BYTES)
  expect(facts).toMatchObject({ importsMemory: false, abi: { kind: 'function', version: 1 } })
  const log = addDirtyLog(bytes, MEMORY_BYTES)
  if (!isRewritten(log)) throw new Error(log.refused)
  const logged = outcomeOf(log.bytes, log.tableBytes)
  expect(logged.said).toBe(plain.said)
  expect(logged.ram.equals(plain.ram)).toBe(true)
  expect(logged.missed).toBe(0)
  expect(logged.changed).toBeGreaterThan(2)
  const scanned = outcomeOf(completeModule(bytes, MEMORY_BYTES), 0)
  expect(scanned.said).toBe(plain.said)
  expect(scanned.ram.equals(plain.ram)).toBe(true)
}

const withoutOptimising = (args: string[]) => args.filter((word) => !word.startsWith('-O'))
const withFeatures = (args: string[]) => [
  ...['-mbulk-memory', '-mmutable-globals', '-msign-ext', '-Wl,--export=__stack_pointer'],
  ...args,
]

describe.skipIf(!HAS_CLANG)(`clang (else ${CLANG_MISSING})`, () => {
  test.each<[string, (args: string[]) => string[]]>([
    ['as its README says', (args) => args],
    ['without optimisation', withoutOptimising],
    ['with features that are off by default', withFeatures],
  ])('compiles the counter %s', (_, change) => {
    const file = compileCounter('c', change)
    expectSameWork(file)
    const facts = inspectModule(readFileSync(file), MEMORY_BYTES)
    expect('globals' in facts && facts.globals).toHaveLength(1)
  })

  test('exports the address of a variable, which is refused', () => {
    const file = compileC('const int colo_abi = 1;', '-Wl,--export=colo_abi')
    const facts = inspectModule(readFileSync(file), MEMORY_BYTES)
    const reasons = 'reasons' in facts ? facts.reasons.join('\n') : ''
    expect(reasons).toMatch(/its global colo_abi is \d+, which is an address/)
  })

  test('copies and fills memory without a C library, by bulk memory', () => {
    const source = `
      #define COLO(name) __attribute__((export_name(#name))) name
      ${COLO_ABI}
      static char from[9000], to[9000];
      char *COLO(fill)(int n) { __builtin_memset(from, 7, n); return from; }
      char *COLO(copy)(int n) { __builtin_memcpy(to, from, n); return to; }`
    const bytes = readFileSync(compileC(source, '-mbulk-memory'))
    const log = addDirtyLog(bytes, MEMORY_BYTES)
    if (!isRewritten(log)) throw new Error(log.refused)
    expect(log.sites.bulk).toBe(2)
    const module = new ForeignModule(log.bytes, log.tableBytes, {})
    module.checkpoint()
    module.call('fill', 9000)
    const to = module.call('copy', 5000)
    expect(module.ram.subarray(to, to + 5001)).toEqual(
      Buffer.concat([Buffer.alloc(5000, 7), Buffer.alloc(1)]),
    )
    expect(module.checkpoint()).toMatchObject({ missed: 0 })
  })
})

describe.skipIf(!HAS_RUST)(`rustc (else ${RUST_MISSING})`, () => {
  test.each<[string, (args: string[]) => string[]]>([
    ['as its README says', (args) => args],
    ['without optimisation', withoutOptimising],
  ])('compiles the counter %s', (_, change) => {
    const file = compileCounter('rust', change)
    expectSameWork(file)
    const facts = inspectModule(readFileSync(file), MEMORY_BYTES)
    expect('globals' in facts && facts.globals).toEqual(['colo_global_0'])
  })
})
