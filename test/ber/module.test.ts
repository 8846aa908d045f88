// The module that people and foreign tools read, and the table that our code uses: one must say what the other
// says.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { application, numberOf } from '../../formats/ber/ber-tag.ts'
import { moduleTagName, TAG_LETTERS, TAGS } from '../../formats/ber/migration-tags.ts'
import { ROOT } from '../docs/documents.ts'

const schema = readFileSync(join(ROOT, 'docs', 'specs', 'migration.schema'), 'utf8')

describe('docs/specs/migration.schema', () => {
  it('has the tags of the table, and no others', () => {
    const tagged = schema.matchAll(/^ *(\w+) +(?:::= )?\[APPLICATION (\d+)\].*?(?:-- "(..)".*)?$/gm)
    const inSchema = [...tagged].map(([, name, number, letters]) => [name, Number(number), letters])
    const inTable = Object.entries(TAG_LETTERS).map(([name, letters]) => [
      name,
      numberOf(TAGS[name as keyof typeof TAGS]),
      letters,
    ])
    const zero = ['zero', 0, undefined]
    expect(inSchema.map(String).toSorted()).toEqual([...inTable, zero].map(String).toSorted())
  })

  it('numbers tags by their letters', () => {
    for (const [name, [first = '', second = '']] of Object.entries(TAG_LETTERS)) {
      const number = first.charCodeAt(0) * 128 + second.charCodeAt(0)
      expect([name, TAGS[name as keyof typeof TAGS]]).toEqual([name, application(number)])
    }
    expect(moduleTagName(TAGS.SecFull)).toBe('SecFull [APPLICATION 10694 "SF"]')
  })
})
