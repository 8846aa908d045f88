// Which modules may be protected: every state that a checkpoint would not hold is a reason not to, told by name.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inspectModule } from '../../shared/guest/wasm-module.ts'
import { ROOT } from '../machines/reviewed.ts'

const WASM_HEADER_BYTES = 8
const MEMORY_SECTION = 5
const given = 16 * 1024 * 1024
const shipped = readFileSync(join(ROOT, 'dist', 'guests', 'kv.wasm'))

const reasonsOf = (bytes: Uint8Array) => {
  const facts = inspectModule(bytes, given)
  return 'reasons' in facts ? facts.reasons : []
}

/** The shipped guest with one more section, ahead of its own. */
function withSection(id: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...shipped.subarray(0, WASM_HEADER_BYTES),
    ...[id, body.length, ...body],
    ...shipped.subarray(WASM_HEADER_BYTES),
  ])
}

test('the shipped guest may', () => {
  expect(reasonsOf(shipped)).toEqual([])
})

test('one with a second memory may not', () => {
  const plain = 0
  const second = withSection(MEMORY_SECTION, [1, plain, 1])
  expect(reasonsOf(second)).toContain('it has 2 memories: a checkpoint holds one')
  const three = withSection(MEMORY_SECTION, [2, plain, 1, plain, 1])
  expect(reasonsOf(three)).toContain('it has 3 memories: a checkpoint holds one')
})
