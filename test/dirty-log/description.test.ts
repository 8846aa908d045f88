// What `colo guest inspect` tells, on modules made for it.

import { describe, expect, test } from 'vitest'
import { describeModule } from '../../keepers/wasm/dirty-log/description.ts'
import { I32, I64 } from '../../formats/wasm/operations.ts'
import { guestBytes } from '../guests/host.ts'
import { Chance } from '../simulation/chance.ts'
import { makeModule } from './module-maker.ts'
import { bodyOf, ModuleWriter } from './module-writer.ts'

const MEMORY_BYTES = 64 * 2 ** 20

describe('a description', () => {
  test('of a shipped guest has nothing against it', () => {
    const told = describeModule(guestBytes('kv'), MEMORY_BYTES)
    expect(told).toMatchObject({
      ...{ protection: 'log', reasons: [], logRefused: undefined },
      abi: { kind: 'global', version: 1 },
    })
    expect(told.parts?.lost).toEqual([])
    expect(told.parts?.memories).toHaveLength(1)
    expect(told.log?.code.before).toBe(told.parts?.codeBytes)
  })

  test('names the features of made-up modules', () => {
    const found = new Set(
      Array.from({ length: 30 }, (_, seed) => makeModule(new Chance(seed))).flatMap(
        ({ bytes }) => describeModule(bytes, MEMORY_BYTES).parts?.features ?? [],
      ),
    )
    const expected = ['bulk memory', 'exceptions', 'multi-value']
    expected.push('mutable globals across the border', 'reference types', 'simd')
    expect([...found].toSorted()).toEqual([...expected, 'tail calls', 'threads'])
  })

  test('names state that no checkpoint holds, and globals by name or number', () => {
    const writer = new ModuleWriter()
    writer.add('type', (out) => out.put(0x60, 0, 0))
    writer.add('function', (out) => out.put(0))
    writer.add('table', (out) => out.put(0x70, 0, 1))
    writer.add('memory', (out) => out.put(0, 1))
    writer.add('global', (out) => out.put(I32, 1, 0x41, 0, 0x0b))
    writer.add('global', (out) => out.put(I64, 1, 0x42, 0, 0x0b))
    writer.add('export', (out) => {
      out.name('count')
      out.put(3, 0)
    })
    const code = Uint8Array.of(0, 0x41, 0, 0xd0, 0x70, 0x26, 0, 0xfc, 9, 0, 0x0b)
    writer.add('code', (out) => out.copy(bodyOf(code)))
    writer.add('data', (out) => out.put(1, 1, 0))
    writer.add('dataCount', (out) => out.put(1))
    const { parts, reasons, protection } = describeModule(writer.bytes(), MEMORY_BYTES)
    expect(parts?.lost).toEqual([
      'what it puts into tables at run time',
      'which segments it has dropped',
    ])
    expect(parts?.globals).toEqual([
      { type: 'i32', mutable: true, imported: undefined, exported: ['count'], hidden: undefined },
      { type: 'i64', mutable: true, imported: undefined, exported: [], hidden: 'colo_global_1' },
    ])
    expect(reasons.join()).not.toContain('global number 1')
    expect(protection).toBe('none')
  })

  test('of several memories says that a checkpoint holds one', () => {
    const writer = new ModuleWriter()
    for (let i = 0; i < 2; i++) writer.add('memory', (out) => out.put(1, 1, 1))
    const { reasons, logRefused } = describeModule(writer.bytes(), MEMORY_BYTES)
    expect(reasons.filter((one) => one.includes('memories'))).toEqual([
      'it has 2 memories: a checkpoint holds one',
    ])
    expect(logRefused).toBe('several memories')
  })

  test('of what is not understood is short', () => {
    const writer = new ModuleWriter()
    writer.add('type', (out) => out.put(0x5f, 0))
    const told = describeModule(writer.bytes(), MEMORY_BYTES)
    expect(told).toMatchObject({ protection: 'none', logRefused: 'GC types', parts: undefined })
  })
})
