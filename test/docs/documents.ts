// The documents of the checkout and the parts of them that are made from code. Such a part stands between
// `<!-- generated: NAME -->` and `<!-- end -->`; what lies between is rewritten as a whole, the rest is prose.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the checkout, whether this file runs as source or compiled. */
export const ROOT = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('no package.json above this file')
  return findRoot(parent)
}

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage'])

/** Every Markdown file of the checkout, relative to it, in order. */
export function documents(folder = ''): string[] {
  const found: string[] = []
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!NOT_OURS.has(entry.name) && !entry.name.startsWith('.')) found.push(...documents(path))
    } else if (entry.name.endsWith('.md')) found.push(path)
  }
  return found.toSorted()
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

const GENERATED = /<!-- generated: ([\w-]+) -->\n[\s\S]*?<!-- end -->/g

export type Tables = Readonly<Record<string, () => string>>

/** The names of the parts that a document has made from code. */
export function generatedParts(text: string): string[] {
  return [...text.matchAll(GENERATED)].map((match) => match[1] ?? '')
}

/** The document as it should be. Throws on a part that no table makes. */
export function withTables(text: string, tables: Tables): string {
  return text.replaceAll(GENERATED, (_part, name: string) => {
    const table = tables[name]
    if (table === undefined) throw new Error(`there is no table ${name}: see test/docs/tables.ts`)
    return `<!-- generated: ${name} -->\n\n${table()}\n\n<!-- end -->`
  })
}
