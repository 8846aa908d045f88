// Where the parts of this installation are, whether the compiled files run or, on a newer Node, the sources.

import { extname, join } from 'node:path'

const runsSources = extname(import.meta.filename) === '.ts'
const compiled = runsSources
  ? join(import.meta.dirname, '..', 'dist')
  : join(import.meta.dirname, '..')

/** What a child process is started with. */
export const COLO_SCRIPT = join(import.meta.dirname, `colo${extname(import.meta.filename)}`)

export const SHIPPED_GUEST = join(compiled, 'guests', 'kv.wasm')

export const DEFAULT_DIR = '.colo'
