// Text files that people review as diffs: what the code does is written down, and a change of it is a change of
// the file. With UPDATE_SCENARIOS=1 the files are rewritten instead of compared.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'

/** The folder of the checkout, whether this file runs as source or compiled. */
export const ROOT = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('no package.json above this file')
  return findRoot(parent)
}

export const isUpdating = process.env.UPDATE_SCENARIOS === '1'

export function readReviewed(file: string): string {
  return existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : ''
}

/** `file` is relative to the checkout. */
export function expectReviewed(file: string, text: string): void {
  const before = readReviewed(file)
  if (before === text) return
  if (isUpdating) {
    mkdirSync(dirname(join(ROOT, file)), { recursive: true })
    writeFileSync(join(ROOT, file), text)
    return
  }
  const how = `${file} differs: UPDATE_SCENARIOS=1 npx vitest run test/machines rewrites it`
  expect(text.split('\n'), how).toEqual(before.split('\n'))
}
