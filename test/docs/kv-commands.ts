// The commands of the key-value guest, from its own table: each row has its usage and its meaning in the comment above
// it. The table is AssemblyScript, so it is read as text.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './documents.ts'

const FILE = join('guests', 'kv', 'command-table.ts')

export interface KvCommand {
  readonly name: string
  readonly usage: string
  readonly meaning: string
}

/** Throws if a row says something else than it does. */
export function kvCommands(): KvCommand[] {
  const text = readFileSync(join(ROOT, FILE), 'utf8')
  const rows = text.matchAll(/((?:^ {2}\/\/ .*\n)*)^ {2}define\(([^)]*)\)/gm)
  return [...rows].map(([, comment = '', row = '']) => {
    const [, arity = '', , quoted = ''] = row.split(',').map((word) => word.trim())
    const name = quoted.slice(1, -1)
    const words = comment.replaceAll(/^ {2}\/\/ |\n$/gm, '').replaceAll('\n', ' ')
    const split = words.indexOf(': ')
    const usage = words.slice(0, split)
    if (split < 0 || usage.split(' ')[0] !== name || arityOf(usage) !== Number(arity)) {
      throw new Error(`${FILE}: the comment above ${name} does not say how it is used: ${words}`)
    }
    return { name, usage, meaning: words.slice(split + 2) }
  })
}

/** How many words a command has, or at least has if that is negative. */
function arityOf(usage: string): number {
  const required = usage.replaceAll(/\[(?:[^[\]]|\[[^\]]*\])*\]/g, '').trim()
  const count = required.split(/ +/).length
  return usage.includes('[') ? -count : count
}
