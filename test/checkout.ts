// Where the checkout is, whether a file runs as source or compiled.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the checkout. */
export const ROOT = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('no package.json above this file')
  return findRoot(parent)
}
