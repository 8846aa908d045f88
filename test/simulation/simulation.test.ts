// The proof that the core is right under every fault that a seed draws: many seeds without a broken rule,
// the same seed the same run, and planted bugs that are found, so that silence means something.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GUARDS } from '../../shared/failover/survival.ts'
import { isLong } from '../long-tests.ts'
import { hunt, plant } from './mutants.ts'
import { MUTANTS } from './planted-bugs.ts'
import { simulate } from './simulation.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SEEDS = isLong ? 1000 : 300
const PATIENCE_MS = 300_000

/** What a bug needs at most that is found early: all of them are hunted by mutants.js. */
const FEW_SEEDS = 4000
/** What takes ten seconds and more to be found. */
const FOUND_LATE =
  /rule 11|dropped between|by number only|before it checks|it was told|isStillTheOwners|isPairOfMySession/
const hunted = (name: string) => isLong || !FOUND_LATE.test(name)

describe(`${SEEDS} seeds`, () => {
  it('break no rule', { timeout: PATIENCE_MS }, () => {
    const file = join(ROOT, 'dist', 'test', 'simulation', 'simulate.js')
    const run = spawnSync('node', [file, '--seeds', String(SEEDS), '--quiet'], { encoding: 'utf8' })
    expect(run.stdout.split('\n').slice(-3).join('\n')).toMatch(/no rule was broken/)
    expect(run.status).toBe(0)
  })

  it('are each the same run every time', () => {
    for (const seed of [1, 7, 42, 4711]) {
      const first = simulate(seed, true)
      expect(first.events.length).toBeGreaterThan(20)
      expect(simulate(seed, true)).toEqual(first)
    }
  })
})

describe('a planted bug is found', () => {
  const early = Object.entries(MUTANTS).filter(
    ([name]) => hunted(name) && !/closed session|read by number/.test(name),
  )
  it.each(early)('%s', { timeout: PATIENCE_MS }, (_, edits) => {
    const folder = plant(edits)
    try {
      expect(hunt(folder, FEW_SEEDS)).toBeDefined()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('no guard of the survival table is superfluous', () => {
  it.each(Object.keys(GUARDS).filter(hunted))('%s', { timeout: PATIENCE_MS }, (guard) => {
    expect(hunt(ROOT, FEW_SEEDS, ['--without-guard', guard])).toBeDefined()
  })
})
