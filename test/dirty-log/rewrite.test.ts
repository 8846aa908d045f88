// What the rewriter promises beyond what made-up modules show: the refusals by name, the edges of the address
// space, data whose place is known at run time only, names, and that no bytes whatever bring it down.

import { createHash } from 'node:crypto'

import { describe, expect, test } from 'vitest'
import type { ByteWriter } from '../../formats/wasm/byte-writer.ts'
import { I32 } from '../../formats/wasm/operations.ts'
import {
  addDirtyLog,
  type DirtyLogModule,
  isRewritten,
  MARK_EXPORT,
  REWRITER_VERSION,
} from '../../keepers/wasm/dirty-log/rewrite.ts'
import { Chance } from '../simulation/chance.ts'
import { guestBytes } from '../guests/host.ts'
import { functionOf, WebAssembly, type WasmInstance, type WasmMemory } from './engine.ts'
import { makeModule } from './module-maker.ts'
import { bodyOf, bytesOf, ModuleWriter } from './module-writer.ts'

const MIB = 2 ** 20

function rewritten(bytes: Uint8Array, maxMemoryBytes?: number): DirtyLogModule {
  expect(WebAssembly.validate(bytes)).toBe(true)
  const log = addDirtyLog(bytes, maxMemoryBytes)
  if (!isRewritten(log)) throw new Error(`refused: ${log.refused}`)
  expect(WebAssembly.validate(log.bytes)).toBe(true)
  return log
}

const start = (bytes: Uint8Array, imports: object = {}): WasmInstance =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)

interface Parts {
  readonly limits?: readonly number[]
  /** The body of (i32, i32) -> i32, without its locals and its `end`. */
  readonly code?: (out: ByteWriter) => void
}

const nothing = (out: ByteWriter) => out.put(0x41, 0)

/** A module with one memory, exported, and one function `f`. */
function smallModule({ limits = [1, 1, 1], code = nothing }: Parts): ModuleWriter {
  const writer = new ModuleWriter()
  writer.add('type', (out) => out.put(0x60, 2, I32, I32, 1, I32))
  writer.add('function', (out) => out.put(0))
  writer.add('memory', (out) => out.put(...limits))
  writer.add('export', (out) => out.put(1, 0x66, 0, 0))
  writer.add('export', (out) => {
    out.name('memory')
    out.put(2, 0)
  })
  const body = bytesOf((out) => {
    out.put(0)
    code(out)
    out.put(0x0b)
  })
  writer.add('code', (out) => out.copy(bodyOf(body)))
  return writer
}

const ramOf = (instance: WasmInstance, shift: number) =>
  Buffer.from((instance.exports['memory'] as WasmMemory).buffer, shift)

function outcomeOf(run: () => unknown): string {
  try {
    return String(run())
  } catch (error) {
    return (error as Error).message
  }
}

describe('refused by name', () => {
  const withMemory = (...limits: number[]) => smallModule({ limits }).bytes()
  const twoMemories = smallModule({})
  twoMemories.add('memory', (out) => out.put(0, 1))
  const noMemory = new ModuleWriter()
  const gcType = smallModule({})
  gcType.add('type', (out) => out.put(0x5f, 0))
  const unknown = smallModule({ code: (out) => out.put(0xfb, 0, 0) })
  const oddSection = smallModule({}).bytes()

  test.each<[string, Uint8Array, string]>([
    ['memory64', withMemory(4, 1), 'memory64'],
    ['several memories', twoMemories.bytes(), 'several memories'],
    ['no memory', noMemory.bytes(), 'no memory'],
    ['shared memory', withMemory(3, 1, 1), 'shared memory'],
    ['a page size of its own', withMemory(8, 1, 0), 'custom page sizes'],
    ['GC types', gcType.bytes(), 'GC types'],
    ['an unknown opcode', unknown.bytes(), 'opcode 0xfb'],
    ['an unknown section', Buffer.concat([oddSection, Buffer.from([99, 0])]), 'section of kind 99'],
    ['other bytes', Buffer.from('#!/bin/sh'), 'does not begin like WebAssembly'],
    ['nothing', new Uint8Array(), 'malformed module'],
    ['half a module', oddSection.subarray(0, 30), 'malformed module'],
    ['its own output', rewritten(oddSection).bytes, MARK_EXPORT],
  ])('%s', (_, bytes, words) => {
    const log = addDirtyLog(bytes)
    expect(isRewritten(log) ? 'rewritten' : log.refused).toContain(words)
  })

  test('memory that begins with more than it will be given', () => {
    const log = addDirtyLog(withMemory(0, 5), 4 * 65536)
    expect(log).toEqual({ refused: expect.stringContaining('5 WebAssembly pages') as string })
  })
})

describe('the table', () => {
  test.each([
    ['of a module that declares 1 page', [1, 1, 1], undefined, 1, 1],
    ['of one that may have 256 MiB', [1, 1, 0x80, 0x20], undefined, 1, 4096],
    ['of one that may have a page more', [1, 1, 0x81, 0x20], undefined, 2, 4097],
    ['of one that declares nothing', [0, 1], undefined, 16, 65519],
    ['of one that is given less than it declares', [0, 1], 300 * MIB, 2, 4800],
  ])('%s', (_, limits, maxMemoryBytes, tablePages, guestPages) => {
    const log = rewritten(smallModule({ limits }).bytes(), maxMemoryBytes)
    expect(log.tableBytes).toBe(tablePages * 65536)
    expect(log.memoryBytesMax).toBe(guestPages * 65536)
  })

  test('takes no memory that could outgrow it', () => {
    const writer = smallModule({ limits: [0, 1] })
    const log = rewritten(writer.bytes(), 4 * 65536)
    const memory = start(log.bytes).exports['memory'] as WasmMemory
    expect(memory.buffer.byteLength).toBe(2 * 65536)
    expect(memory.grow(3)).toBe(2)
    expect(() => memory.grow(1)).toThrow(/aximum/)
  })
})

/** f(a, b) as it was and as it was rewritten, for arguments at the edges of the address space. */
function expectSameAtEdges(code: (out: ByteWriter) => void): void {
  const bytes = smallModule({ limits: [1, 1, 4], code }).bytes()
  const log = rewritten(bytes)
  const [plain, other] = [start(bytes), start(log.bytes)]
  const edges = [0, 1, 65520, 65528, 65532, 65533, 65535, 65536, 65537].concat([
    2 ** 31,
    2 ** 32 - 65536 * 2,
    2 ** 32 - 65537,
    2 ** 32 - 65536,
    2 ** 32 - 65535,
    2 ** 32 - 1,
  ])
  for (const a of edges) {
    for (const b of edges) {
      const told = [plain, other].map((one) => outcomeOf(() => functionOf(one, 'f')(a | 0, b | 0)))
      expect({ a, b, told: told[1] }).toEqual({ a, b, told: told[0] })
    }
    expect(ramOf(other, log.tableBytes).equals(ramOf(plain, 0))).toBe(true)
  }
}

describe('traps where it did', () => {
  const OFFSETS = [0, 1, 65535, 65536, 2 ** 31, 2 ** 32 - 65537, 2 ** 32 - 65536, 2 ** 32 - 1]

  test.each(OFFSETS)('stores and loads at offset %d', (offset) => {
    expectSameAtEdges((out) => {
      out.put(0x20, 0, 0x20, 1, 0x36, 2)
      out.u32(offset)
      out.put(0x20, 1, 0x28, 2)
      out.u32(offset)
    })
  })

  test.each(OFFSETS)('atomic operations at offset %d', (offset) => {
    expectSameAtEdges((out) => {
      out.put(0x20, 0, 0x20, 1, 0xfe, 0x1e, 2)
      out.u32(offset)
    })
  })

  test.each([0, 1, 100, 65536, -1])('fill of %d bytes', (length) => {
    expectSameAtEdges((out) => {
      out.put(0x20, 0, 0x20, 1, 0x41)
      out.i32(length)
      out.put(0xfc, 11, 0, 0x3f, 0)
    })
  })

  test.each([0, 1, 100, 65536, -1])('copy of %d bytes', (length) => {
    expectSameAtEdges((out) => {
      out.put(0x20, 0, 0x20, 1, 0x41)
      out.i32(length)
      out.put(0xfc, 10, 0, 0, 0x3f, 0)
    })
  })

  test('growing by as much as may be, and by more', () => {
    expectSameAtEdges((out) => out.put(0x20, 0, 0x41, 3, 0x71, 0x40, 0, 0x3f, 0, 0x6a))
  })
})

describe('data whose place is an imported global', () => {
  /** Three segments that overlap, the second where the global says, and a start function that reads. */
  const writer = smallModule({ code: (out) => out.put(0x20, 0, 0x28, 2, 0) })
  writer.add('import', (out) => {
    out.name('env')
    out.name('base')
    out.put(3, I32, 0)
  })
  const segment = (place: number[], content: number[]) =>
    writer.add('data', (out) => out.put(0, ...place, 0x0b, content.length, ...content))
  segment([0x41, 8], [1, 1, 1, 1, 1, 1])
  segment([0x23, 0], [2, 2, 2, 2])
  segment([0x41, 12], [3])
  const bytes = writer.bytes()
  const log = rewritten(bytes)
  const told = (binary: Uint8Array, shift: number, base: number) =>
    outcomeOf(() => {
      const global = new WebAssembly.Global({ value: 'i32' }, base)
      return ramOf(start(binary, { env: { base: global } }), shift).toString('hex', 0, 32)
    })

  test.each([0, 6, 10, 65532])('at %d lies where it did, in the same order', (base) => {
    expect(told(log.bytes, log.tableBytes, base)).toBe(told(bytes, 0, base))
  })

  test.each([65533, 65536, -1, -65536])('at %d can not be placed, as before', (base) => {
    expect(told(bytes, 0, base)).toContain('out of bounds')
    expect(told(log.bytes, log.tableBytes, base)).toContain('out of bounds')
  })
})

describe('the function for what the host writes', () => {
  const log = rewritten(smallModule({ limits: [1, 2, 2] }).bytes())
  const instance = start(log.bytes)
  const mark = functionOf(instance, MARK_EXPORT)
  const { buffer } = instance.exports['memory'] as WasmMemory
  const marked = () => {
    const table = new Uint8Array(buffer, 0, log.tableBytes)
    const pages = [...table].flatMap((byte, page) => (byte === 0 ? [] : [page]))
    table.fill(0)
    return pages
  }

  test.each([
    [0, 1, [0]],
    [4095, 1, [0]],
    [4095, 2, [0, 1]],
    [4096, 8192, [1, 2]],
    [100, 0, []],
    [131071, 1, [31]],
    [0, 131072, Array.from({ length: 32 }, (_, page) => page)],
  ])('marks the pages of (%d, %d)', (address, length, pages) => {
    mark(address, length)
    expect(marked()).toEqual(pages)
  })

  test.each([
    [131072, 1],
    [131071, 2],
    [0, 131073],
    [-1, 1],
    [-1, 2],
    [100, -1],
  ])('traps on (%d, %d), which is not in memory', (address, length) => {
    expect(() => mark(address, length)).toThrow(/out of bounds|unreachable/)
    expect(marked()).toEqual([])
  })
})

test('what it writes has a version, which is raised when that changes', () => {
  const code = (out: ByteWriter) => {
    out.put(0x20, 0, 0x20, 1, 0x36, 2, 8, 0x20, 0, 0x20, 1, 0x41, 9, 0xfc, 11, 0)
    out.put(0x20, 0, 0x20, 1, 0x41, 9, 0xfc, 10, 0, 0, 0x41, 1, 0x40, 0, 0x3f, 0, 0x6a)
  }
  const writer = smallModule({ limits: [1, 1, 2], code })
  writer.add('global', (out) => out.put(I32, 1, 0x41, 0, 0x0b))
  const { bytes } = rewritten(writer.bytes())
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  expect({ version: REWRITER_VERSION, digest }).toEqual({ version: 2, digest: '594a1b647bd7caf9' })
})

describe('any bytes', () => {
  const guests = ['kv', 'stress', 'counter'].map(guestBytes)
  const made = Array.from({ length: 10 }, (_, seed) => makeModule(new Chance(seed)).bytes)

  test('give a module or a refusal; and a valid module is rewritten to a valid one', () => {
    const chance = new Chance(7)
    let valid = 0
    for (const bytes of [...guests, ...made]) {
      for (let n = 0; n < 150; n++) {
        const damaged = Uint8Array.from(bytes)
        for (let i = chance.below(3); i >= 0; i--) {
          damaged[chance.below(bytes.length)] = chance.below(256)
        }
        const log = addDirtyLog(
          chance.happens(0.1) ? damaged.subarray(0, chance.below(99)) : damaged,
        )
        if (!WebAssembly.validate(damaged) || !isRewritten(log)) continue
        valid++
        expect(WebAssembly.validate(log.bytes)).toBe(true)
      }
    }
    expect(valid).toBeGreaterThan(100)
  })
})
