// The version of this installation. It stands in package.json alone, which lies above the sources, above the compiled
// files and above the bundle.

import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

const above = extname(import.meta.filename) === '.ts' ? ['..'] : ['..', '..']
const file = join(import.meta.dirname, ...above, 'package.json')

export const VERSION = (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string })
  .version
