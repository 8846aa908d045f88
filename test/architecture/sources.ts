// The sources of the project as text: every file that is ours, what it imports, and its code without comments.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { ROOT } from '../machines/reviewed.ts'

/** What .gitignore names, and git itself. */
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.colo', 'coverage'])

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(path)
    return entry.isFile() ? [relative(ROOT, path)] : []
  })
}

/** Paths from the root of the checkout, with `/`. */
export const ALL_FILES: readonly string[] = filesBelow(ROOT).map((path) =>
  path.replaceAll('\\', '/'),
)

/** Our TypeScript. The folders of guests/ are AssemblyScript, another language with the same ending. */
export const SOURCES: readonly string[] = ALL_FILES.filter(
  (path) => path.endsWith('.ts') && !/^guests\/\w+\//.test(path),
)

/** What runs in production: no tests, no measurements. */
export const PRODUCT = SOURCES.filter((path) => !/^(test|bench)\//.test(path))

const texts = new Map<string, string>()

export function textOf(path: string): string {
  const text = texts.get(path) ?? readFileSync(join(ROOT, path), 'utf8')
  texts.set(path, text)
  return text
}

/** The code alone: comments gone and the insides of plain strings, so that words in them count for nothing. */
export function codeOf(path: string): string {
  return textOf(path)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''")
}

export interface Import {
  readonly from: string
  /** A path from the root for our own files, else the name of a package. */
  readonly to: string
  readonly isTypeOnly: boolean
}

export function importsOf(path: string): Import[] {
  const found = textOf(path).matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm,
  )
  return [...found].map(([, type, named, bare, dynamic]) => {
    const target = named ?? bare ?? dynamic
    const to = target.startsWith('.') ? normalize(join(dirname(path), target)) : target
    return { from: path, to: to.replaceAll('\\', '/'), isTypeOnly: type !== undefined }
  })
}
