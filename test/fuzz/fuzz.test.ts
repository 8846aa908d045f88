// The fuzzer: that it finds what was planted, where chance alone does not, and that it finds nothing in the formats.
// Seconds of each format here; COLO_FUZZ_SECONDS=60 makes it as many of each, `node dist/test/fuzz/fuzz.js` more.
// Inputs that once were findings lie in found/, by their format, and are run each time.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { damaged, Dice } from '../ber/damages.ts'
import { ROOT } from '../checkout.ts'
import { FORMAT_NAMES, targetOf } from './formats.ts'
import { target as deepReader } from './planted/deep-reader.ts'
import { Probes } from './probes.ts'

/** The parser is native code: there are machines that it is not made for. */
const isReady = await import('rolldown/parseAst').then(
  () => true,
  () => false,
)
const PARSER_MISSING = "else rolldown's parser cannot be loaded here"

const SECONDS = Number(process.env['COLO_FUZZ_SECONDS'] ?? 0)
/** Without that, a number of runs: the same ones each time. */
const RUNS = 1000
const DEEP_RUNS = 30_000

function fuzz(...args: readonly string[]): { status: number | null; lines: string[] } {
  const command = join(ROOT, 'dist', 'test', 'fuzz', 'fuzz.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--fresh', ...args], {
    encoding: 'utf8',
  })
  return { status, lines: [...stdout.trimEnd().split('\n'), ...(stderr === '' ? [] : [stderr])] }
}

const fuzzPlanted = (name: string, ...more: readonly string[]) =>
  fuzz('--target', `test/fuzz/planted/${name}.js`, '--seed', '1', '--seconds', '60', ...more)

describe.skipIf(!isReady)(`the fuzzer (${PARSER_MISSING})`, () => {
  it('finds a bug behind seven comparisons', () => {
    const { status, lines } = fuzzPlanted('deep-reader', '--runs', String(DEEP_RUNS))
    expect(lines).toContain('deep-reader: FINDING Error: the planted bug')
    expect(status).toBe(1)
  })

  it('does so by what it sees: chance alone does not come behind the first', () => {
    const [seed = new Uint8Array()] = deepReader.seeds()
    const outcomes = new Set<string>()
    for (let run = 0; run < 10 * DEEP_RUNS; run++) {
      outcomes.add(deepReader.run(damaged(seed, new Dice(run))))
    }
    expect([...outcomes].toSorted()).toEqual(['no magic', 'short'])
  })

  it('finds an input that never ends', () => {
    const { status, lines } = fuzzPlanted('endless-reader', '--input-ms', '1000')
    expect(lines).toContain('endless-reader: FINDING no end after 1000 ms')
    expect(status).toBe(1)
  })

  it('finds a length that is believed', () => {
    const { status, lines } = fuzzPlanted('greedy-reader')
    expect(lines.join()).toMatch(/FINDING \d+ bytes allocated for \d+/)
    expect(status).toBe(1)
  })
})

describe.skipIf(!isReady)(`each format (${PARSER_MISSING})`, () => {
  it.each(FORMAT_NAMES)(
    '%s: coded errors only, ends, in bounded memory',
    { timeout: 900_000 },
    (format) => {
      const most =
        SECONDS > 0 ? ['--seconds', String(SECONDS)] : ['--runs', String(RUNS), '--seed', '1']
      const { status, lines } = fuzz('--format', format, ...most)
      expect(lines.at(-1)).toMatch(/, no finding$/)
      expect(status).toBe(0)
      // It went where the seeds did not.
      const [, all, seeds] = /(\d+) branches \((\d+) by the seeds\)/.exec(lines.at(-1) ?? '') ?? []
      expect(Number(all)).toBeGreaterThan(Number(seeds))
    },
  )
})

describe('what was found once', () => {
  const inputs = FORMAT_NAMES.flatMap((format) => {
    const folder = join(import.meta.dirname, 'found', format)
    const names = existsSync(folder) ? readdirSync(folder) : []
    return names.map((name) => [format, name, join(folder, name)] as const)
  })

  it.each(inputs)('%s: %s', async (format, _name, file) => {
    const target = await targetOf(format)
    expect(target.run(new Uint8Array(readFileSync(file)))).not.toBe('')
  })
})

describe.skipIf(!isReady)(`probes (${PARSER_MISSING})`, () => {
  it('leave what the code does as it was', async () => {
    const { instrument } = await import('./instrument.ts')
    const code = `{ let log = []
      const f = (a) => ({ a }).a, g = (m, k) => m?.get(k) ?? m?.size
      for (let i = 0; i < 3; i++) if (i === 1) log.push(i); else if (i > 1) log.push(f(i)); else log.push('x')
      switch (log.length) { case 3: log.push('three'); break; default: log.push('other') }
      log.push(g(new Map([[1, 2]]), 1), g(undefined, 1), new Map([[5, 6]]).get(5), new Map([[70_000, 1]]).get(5), new Set([1]).has(2))
      do log.push(new Uint8Array(2).length); while (log.length < 13 && log[0] !== 0)
      try { null.x } catch { log.push((1, 2) === 2 || !1) }
      log }`
    const { code: probed, branches } = instrument(code, 0)
    const probes = new Probes(branches)
    Object.assign(globalThis, { __probes: probes.names })
    probes.begin(true)
    expect(runInThisContext(probed)).toEqual(runInThisContext(code))
    // Of both arms of each, all that was taken; and on the line where it was.
    expect(probes.c.filter((hits) => hits > 0).length).toBeGreaterThan(10)
    expect(probes.allocated).toBeGreaterThan(0)
    expect(probes.pairs).toContainEqual({ seen: 5, due: 70_000 })
    expect(probed.split('\n').length).toBe(code.split('\n').length)
  })
})
