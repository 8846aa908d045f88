// `node dist/test/docs/generate.js` rewrites the generated parts of the documents; with `--check` it changes
// nothing, names the documents that differ from the code, and ends with 1 if there is one.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, documents, readDocument, withTables } from './documents.ts'
import { TABLES } from './tables.ts'

const isCheck = process.argv.includes('--check')
let differing = 0
for (const path of documents()) {
  const before = readDocument(path)
  const after = withTables(before, TABLES)
  if (after === before) continue
  differing++
  if (!isCheck) writeFileSync(join(ROOT, path), after)
  console.log(isCheck ? `${path} differs from the code` : `${path} is rewritten`)
}
if (isCheck && differing > 0) {
  console.log('node dist/test/docs/generate.js rewrites them')
  process.exitCode = 1
}
