// Modules that nobody here wrote, as their packages ship them: each does its own work as it came and rewritten,
// and says the same. Their memory is the same byte for byte, because the guest sees its own addresses.

import { describe, expect, test } from 'vitest'
import { addDirtyLog, isRewritten } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { WebAssembly } from './engine.ts'
import { ForeignModule } from './foreign-module.ts'
import { FOREIGN_WORK, type ForeignWork } from './foreign-work.ts'

interface Outcome {
  readonly said: string
  readonly ram: Buffer
  readonly epochs: readonly ReturnType<ForeignModule['checkpoint']>[]
}

function outcomeOf({ host, run }: ForeignWork, bytes: Uint8Array, shift: number): Outcome {
  const module = new ForeignModule(bytes, shift, host)
  const epochs: ReturnType<ForeignModule['checkpoint']>[] = []
  if (shift > 0) module.checkpoint() // all that instantiation wrote
  const said = run(module, () => {
    if (shift > 0) epochs.push(module.checkpoint())
  })
  return { said, ram: Buffer.from(module.ram), epochs }
}

describe.each(FOREIGN_WORK)('$name', (work) => {
  const log = addDirtyLog(work.bytes)
  if (!isRewritten(log)) throw new Error(log.refused)

  test('is a valid module once it is rewritten', () => {
    expect(log.sites.stores).toBeGreaterThan(1000)
    expect(WebAssembly.validate(log.bytes)).toBe(true)
  })

  test('does the same work with the same result, and no dirty page is missed', () => {
    const plain = outcomeOf(work, work.bytes, 0)
    const rewritten = outcomeOf(work, log.bytes, log.tableBytes)
    expect(plain.said.length).toBeGreaterThan(100)
    expect(rewritten.said).toBe(plain.said)
    expect(rewritten.ram.equals(plain.ram)).toBe(true)
    expect(rewritten.epochs.length).toBeGreaterThan(3)
    expect(rewritten.epochs.map(({ missed }) => missed)).toEqual(rewritten.epochs.map(() => 0))
    const changed = rewritten.epochs.reduce((sum, epoch) => sum + epoch.changed, 0)
    expect(changed).toBeGreaterThan(20)
  })
})
