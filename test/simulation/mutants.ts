#!/usr/bin/env node
// Bugs planted on purpose, to prove that the simulation would find them: each is an edit of the compiled code in
// a copy of dist/, run seed by seed until a rule is broken; and each guard of the survival table is taken away
// once. `node dist/test/simulation/mutants.js [--only NAME] [--seeds N]`; exit 1 if one survives.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { GUARDS } from '../../shared/failover/survival.ts'
import { MUTANTS, type Edit } from './planted-bugs.ts'

/** This file runs from dist/ and, under vitest, from the sources. */
const ROOT = import.meta.dirname.split(/[/\\](?:dist[/\\])?test[/\\]simulation$/)[0] ?? ''
const DIST = join(ROOT, 'dist')

/** A copy of the compiled tree with these edits; throws when an edit finds nothing to change. */
export function plant(edits: readonly Edit[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'colo-mutant-'))
  for (const part of [
    'formats',
    'shared',
    'primary',
    'secondary',
    'side',
    'keepers',
    'test/simulation',
  ]) {
    cpSync(join(DIST, part), join(folder, 'dist', part), { recursive: true })
  }
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, find, replace } of edits) {
    const path = join(folder, 'dist', file)
    const text = readFileSync(path, 'utf8')
    const pattern = anySpace(find)
    if (!pattern.test(text)) throw new Error(`${file} has no ${JSON.stringify(find)} any more`)
    writeFileSync(path, text.replaceAll(pattern, replace))
  }
  return folder
}

/** `find` with any white space where it has some: the compiler indents as it likes. */
function anySpace(find: string): RegExp {
  const parts = find
    .split(/\s+/)
    .map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`))
  return new RegExp(parts.join(String.raw`\s+`), 'g')
}

/** The seed that found it and what it found; undefined if `seeds` seeds did not. */
export function hunt(
  folder: string,
  seeds: number,
  args: readonly string[] = [],
): string | undefined {
  const file = join(folder, 'dist', 'test', 'simulation', 'simulate.js')
  const run = spawnSync('node', [file, '--seeds', String(seeds), '--quiet', ...args], {
    maxBuffer: 256 * 1024 * 1024,
    encoding: 'utf8',
  })
  if (run.status === 0) return undefined
  if (run.status !== 1) throw new Error(`simulate failed: ${run.stderr}`)
  const lines = run.stdout.trim().split('\n')
  return /seed \d+: .*/.exec(lines.at(-2) ?? '')?.[0] ?? lines.at(-1)
}

function main(): number {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, seeds: { type: 'string', default: '2000' } },
  })
  const seeds = Number(values.seeds)
  let survivors = 0
  const report = (name: string, found: string | undefined) => {
    if (found === undefined) survivors++
    console.log(
      `${found ? 'found    ' : 'SURVIVED '} ${name}${found ? `: ${found.slice(0, 120)}` : ''}`,
    )
  }
  const wanted = (name: string) => values.only === undefined || name.includes(values.only)
  for (const [name, edits] of Object.entries(MUTANTS)) {
    if (!wanted(name)) continue
    const folder = plant(edits)
    report(name, hunt(folder, seeds))
    rmSync(folder, { recursive: true })
  }
  const plain = ROOT
  for (const guard of Object.keys(GUARDS)) {
    if (!wanted(guard)) continue
    report(`without the guard ${guard}`, hunt(plain, seeds, ['--without-guard', guard]))
  }
  console.log(survivors === 0 ? 'all found' : `${survivors} survived`)
  return survivors === 0 ? 0 : 1
}

if (process.argv[1] === import.meta.filename) process.exit(main())
