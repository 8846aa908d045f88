// A copy of the compiled code that a target runs, with probes in what is of the product. It lies under dist/, so that
// packages are found from there as from the original.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { instrument, type Constant } from './instrument.ts'

export interface InstrumentedTree {
  /** Of the target, to be imported. */
  readonly url: string
  readonly branches: number
  readonly constants: readonly Constant[]
}

/** What is watched is the product, and what a test planted for that. */
const IS_WATCHED = /^(?!test[/\\])|[/\\]planted[/\\]/
const IMPORTS = /(?:\bfrom|\bimport\(?)\s*['"](\.[^'"]+)['"]/g

/** `file`, and what it imports of ours, all below `from`. */
function closureOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(IMPORTS)) {
    closureOf(join(dirname(file), target), found)
  }
  return found
}

/** Copies `file` of the folder `from` into the folder `to`, with what it imports. */
export function instrumentTree(from: string, file: string, to: string): InstrumentedTree {
  rmSync(to, { recursive: true, force: true })
  let branches = 0
  const constants = new Set<Constant>()
  for (const path of closureOf(join(from, file))) {
    const place = relative(from, path)
    const text = readFileSync(path, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
    const done = IS_WATCHED.test(place) ? instrument(text, branches) : undefined
    branches += done?.branches ?? 0
    for (const one of done?.constants ?? []) constants.add(one)
    mkdirSync(dirname(join(to, place)), { recursive: true })
    writeFileSync(join(to, place), done?.code ?? text)
  }
  return { url: pathToFileURL(join(to, file)).href, branches, constants: [...constants] }
}
